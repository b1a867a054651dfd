<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\WordPress;

/** Where friendpay tells the shop what happens: POST /wp-json/friendpay/v1/webhook. */
final class Route
{
    private const SPACE = 'friendpay/v1';
    private const PATH = '/webhook';

    public static function register(): void
    {
        register_rest_route(self::SPACE, self::PATH, [
            'methods' => 'POST',
            'callback' => [self::class, 'receive'],
            'permission_callback' => '__return_true', // the signature is the proof
        ]);
    }

    public static function address(): string
    {
        return rest_url(self::SPACE . self::PATH);
    }

    public static function receive(\WP_REST_Request $request): \WP_REST_Response
    {
        $header = static fn (string $name): string => (string) $request->get_header("webhook-$name");
        $status = Parts::receiving()->receive(
            $request->get_body(),
            $header('id'),
            $header('timestamp'),
            $header('signature'),
            time(),
        );
        return new \WP_REST_Response(null, $status);
    }
}
