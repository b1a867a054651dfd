<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** What the shop's staff has set, and the secret that friendpay gave for it. */
final class Settings
{
    public const SECRET = 'friendpay_webhook_secret';
    private const HOURS = 24;

    private function __construct(
        public readonly string $address,
        public readonly string $key,
        public readonly int $hours,
        public readonly string $secret,
    ) {
    }

    public static function kept(): self
    {
        $kept = (array) get_option(Plugin::SETTINGS, []);
        $hours = (int) ($kept['hours'] ?? self::HOURS);
        return new self(
            rtrim(trim((string) ($kept['address'] ?? '')), '/'),
            trim((string) ($kept['key'] ?? '')),
            min(max($hours, 1), 720),
            (string) get_option(self::SECRET, ''),
        );
    }

    public function areWhole(): bool
    {
        return $this->address !== '' && $this->key !== '' && $this->secret !== '';
    }
}
