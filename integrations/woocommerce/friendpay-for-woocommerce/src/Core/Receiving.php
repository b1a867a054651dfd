<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** What the shop answers to a message of friendpay's. */
final class Receiving
{
    public const EVENTS = [
        'order.paid', 'order.expired', 'order.cancelled', 'order.refunded', 'order.refund_reopened', 'refund.failed',
    ];

    public function __construct(
        private readonly Settling $settling,
        private readonly Shop $shop,
        private readonly string $secret,
    ) {
    }

    /** 204 when all is done; 401 for who is not friendpay; 503 when it is to come again. */
    public function receive(string $body, string $id, string $time, string $signatures, int $now): int
    {
        $message = Webhook::verified($body, $id, $time, $signatures, $this->secret, $now);
        if ($message === null) {
            return 401;
        }
        if (!is_string($message['order'] ?? null)) {
            return 204; // a ping
        }
        try {
            $this->settling->heard($message['order'], (string) $message['type']);
        } catch (NoAnswer | Refused | Busy $error) {
            $this->shop->log("message $id: {$error->getMessage()}");
            return 503;
        }
        return 204;
    }
}
