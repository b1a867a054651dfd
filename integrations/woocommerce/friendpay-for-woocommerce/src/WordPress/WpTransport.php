<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

use Friendpay\WooCommerce\Core\Answer;
use Friendpay\WooCommerce\Core\NoAnswer;
use Friendpay\WooCommerce\Core\Transport;

/** Calls by WordPress's own HTTP functions, which keep to the site's proxies and certificates. */
final class WpTransport implements Transport
{
    public function send(string $method, string $url, array $headers, ?string $body, float $seconds): Answer
    {
        $answer = wp_remote_request($url, [
            'method' => $method,
            'headers' => $headers,
            'body' => $body,
            'timeout' => $seconds,
            'redirection' => 0,
            'user-agent' => 'friendpay-for-woocommerce/0.1.0',
        ]);
        if (is_wp_error($answer)) {
            throw new NoAnswer("$method $url: " . $answer->get_error_message());
        }
        return new Answer((int) wp_remote_retrieve_response_code($answer), wp_remote_retrieve_body($answer));
    }
}
