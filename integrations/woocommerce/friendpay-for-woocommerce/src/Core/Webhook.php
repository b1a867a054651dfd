<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Messages of friendpay (Standard Webhooks). */
final class Webhook
{
    private const TOLERANCE = 300;
    private const SHORTEST = 16; // bytes of a secret: an empty setting would let everybody sign

    /**
     * The message, if it was signed with the secret and is not old; null otherwise. The body to the byte, as it came.
     *
     * @return array<string, mixed>|null
     */
    public static function verified(
        string $body,
        string $id,
        string $time,
        string $signatures,
        string $secret,
        int $now,
    ): ?array {
        $key = base64_decode(substr($secret, strlen('whsec_')), true);
        if ($key === false || strlen($key) < self::SHORTEST || $id === '' || !ctype_digit($time)) {
            return null;
        }
        if (abs($now - (int) $time) > self::TOLERANCE) {
            return null;
        }
        $own = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$time.$body", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($own, $signature)) {
                $message = json_decode($body, true);
                return is_array($message) ? $message : null;
            }
        }
        return null;
    }
}
