<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** How a call travels. */
interface Transport
{
    /**
     * @param array<string, string> $headers
     * @throws NoAnswer
     */
    public function send(string $method, string $url, array $headers, ?string $body, float $seconds): Answer;
}
