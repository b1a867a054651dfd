<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/**
 * The calls of friendpay's API. One that gets no answer, or is told to wait, is tried again; all tries of a POST carry one
 * Idempotency-Key, so it does its work once, even where the server had done it and only its answer was lost.
 */
final class Friendpay
{
    private const AGAIN = [408, 429, 500, 502, 503, 504];

    /** @param \Closure(float): void $pause seconds to wait between tries */
    public function __construct(
        private readonly Transport $transport,
        private readonly string $address,
        private readonly string $key,
        private readonly \Closure $pause,
    ) {
    }

    /**
     * @return array<string, mixed>
     * @throws NoAnswer
     */
    public function get(string $path, float $seconds = 10): array
    {
        return $this->call('GET', $path, null, '', 2, $seconds);
    }

    /**
     * @param array<string, mixed> $body
     * @return array<string, mixed>
     * @throws NoAnswer
     */
    public function post(string $path, array $body, string $key, int $retries = 2, float $seconds = 10): array
    {
        return $this->call('POST', $path, $body, $key, $retries, $seconds);
    }

    private function call(string $method, string $path, ?array $body, string $key, int $retries, float $seconds): array
    {
        $headers = ['Authorization' => "Bearer $this->key", 'Accept' => 'application/json'];
        if ($body !== null) {
            $headers += ['Content-Type' => 'application/json', 'Idempotency-Key' => $key];
        }
        $text = $body === null ? null : json_encode((object) $body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        $url = rtrim($this->address, '/') . "/api/v1$path";
        for ($try = 0;; $try++) {
            try {
                $answer = $this->transport->send($method, $url, $headers, $text, $seconds);
                $told = json_decode($answer->body, true) ?? [];
                $told = is_array($told) ? $told : [];
                $code = (string) ($told['code'] ?? '');
                if ($answer->status >= 200 && $answer->status < 300) {
                    return $told;
                }
                $busy = in_array($answer->status, self::AGAIN, true) || $code === 'idempotency_key_in_use';
                if (!$busy && $code !== '') {
                    throw new Refused($answer->status, $code, self::words($told));
                }
                $failure = new NoAnswer("$method $path: $answer->status $code");
            } catch (NoAnswer $nobody) {
                $failure = $nobody;
            }
            if ($try >= $retries) {
                throw $failure;
            }
            ($this->pause)(0.4 * 2 ** $try);
        }
    }

    /** @param array<string, mixed> $problem */
    private static function words(array $problem): string
    {
        $words = [(string) ($problem['detail'] ?? '')];
        foreach ($problem['errors'] ?? [] as $error) {
            $words[] = "{$error['field']}: {$error['message']}";
        }
        return implode(' ', $words);
    }
}
