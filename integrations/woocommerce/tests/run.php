<?php

/** The plain parts by themselves: no WordPress, no network. `php run.php` */

declare(strict_types=1);

namespace Friendpay\WooCommerce\Tests;

use Friendpay\WooCommerce\Core\Answer;
use Friendpay\WooCommerce\Core\Basket;
use Friendpay\WooCommerce\Core\DoesNotAddUp;
use Friendpay\WooCommerce\Core\Friendpay;
use Friendpay\WooCommerce\Core\Link;
use Friendpay\WooCommerce\Core\Lock;
use Friendpay\WooCommerce\Core\Money;
use Friendpay\WooCommerce\Core\NoAnswer;
use Friendpay\WooCommerce\Core\Order;
use Friendpay\WooCommerce\Core\Refunding;
use Friendpay\WooCommerce\Core\Refused;
use Friendpay\WooCommerce\Core\Shop;
use Friendpay\WooCommerce\Core\Transport;
use Friendpay\WooCommerce\Core\Webhook;

spl_autoload_register(static function (string $class): void {
    $name = 'Friendpay\\WooCommerce\\';
    $path = str_replace('\\', '/', substr($class, strlen($name)));
    require dirname(__DIR__) . "/friendpay-for-woocommerce/src/$path.php";
});

function same(mixed $wanted, mixed $told): void
{
    if ($wanted !== $told) {
        throw new \Exception('wanted ' . json_encode($wanted) . ', got ' . json_encode($told));
    }
}

/** @param class-string<\Throwable> $kind */
function fails(string $kind, \Closure $work): void
{
    try {
        $work();
    } catch (\Throwable $error) {
        same($kind, $error::class);
        return;
    }
    throw new \Exception("no $kind");
}

/** Answers in turn, and remembers what it was asked. */
final class Line implements Transport
{
    /** @var list<array{string, string, array<string, string>, ?string}> */
    public array $asked = [];

    /** @param list<Answer|NoAnswer> $answers */
    public function __construct(private array $answers)
    {
    }

    public function send(string $method, string $url, array $headers, ?string $body, float $seconds): Answer
    {
        $this->asked[] = [$method, $url, $headers, $body];
        $answer = array_shift($this->answers);
        return $answer instanceof NoAnswer ? throw $answer : $answer;
    }

    public function friendpay(): Friendpay
    {
        return new Friendpay($this, 'https://pay.example/', 'sk_test_1', static fn (float $seconds) => null);
    }
}

final class NoLock implements Lock
{
    public function alone(string $name, \Closure $work): mixed
    {
        return $work();
    }
}

/** One order of which so much was refunded. */
final class OneOrder implements Shop, Order
{
    public function __construct(private readonly string $refunded)
    {
    }

    public function site(): string
    {
        return 'https://shop.example';
    }

    public function order(int $id): ?Order
    {
        return $this;
    }

    public function log(string $words): void
    {
    }

    public function id(): int
    {
        return 7;
    }

    public function number(): string
    {
        return '7';
    }

    public function currency(): string
    {
        return 'EUR';
    }

    public function total(): string
    {
        return '90.00';
    }

    public function waits(): bool
    {
        return false;
    }

    public function isPaid(): bool
    {
        return true;
    }

    public function paidWith(): string
    {
        return 'ord_1';
    }

    public function refunded(): string
    {
        return $this->refunded;
    }

    public function link(): Link
    {
        return new Link('ord_1', 'https://pay.example/checkout/1/', 'paid');
    }

    public function remember(Link $link): void
    {
    }

    public function hold(): void
    {
    }

    public function confirm(string $friendpay): void
    {
    }

    public function giveUp(string $why): void
    {
    }

    public function recordRefund(string $amount): void
    {
    }

    public function note(string $what, array $values = []): void
    {
    }
}

function facts(array $changes): array
{
    return $changes + [
        'currency' => 'EUR', 'total' => '90.00', 'prices_include_tax' => false, 'coupons' => [], 'shipping' => [],
        'fees' => [], 'taxes' => [], 'discount_name' => 'Discount', 'rounding_name' => 'Rounding', 'lines' => [line([])],
    ];
}

function line(array $changes): array
{
    $price = $changes['subtotal'] ?? '90.00';
    return $changes + [
        'name' => 'Tea', 'quantity' => '2', 'subtotal' => $price, 'subtotal_tax' => '0', 'total' => $price,
        'total_tax' => '0', 'category' => '', 'image' => '',
    ];
}

$tests = [
    'decimals become minor units, rounded half away from zero' => function (): void {
        same(4500, Money::minor('EUR', '45'));
        same(4501, Money::minor('EUR', '45.005'));
        same(-4501, Money::minor('EUR', '-45.005'));
        same(4500, Money::minor('EUR', '45.00499999'));
        same(5000, Money::minor('EUR', '42.016807', '7.983193'));
        same(1100, Money::minor('JPY', 1100));
        same(2250, Money::minor('KWD', 2.25));
        same(0, Money::minor('EUR', ''));
        same(30, Money::minor('EUR', 0.1 + 0.2));
        same(99999999999999, Money::minor('EUR', '999999999999.99'));
    },
    'what is no amount is refused' => function (): void {
        foreach (['1,50', '1e3', 'free', '1.2.3', '--1'] as $text) {
            fails(DoesNotAddUp::class, fn () => Money::minor('EUR', $text));
        }
        fails(DoesNotAddUp::class, fn () => Money::exact('EUR', '45.005'));
        fails(DoesNotAddUp::class, fn () => Money::exact('JPY', '45.5'));
        same(4500, Money::exact('EUR', '45.0000'));
    },
    'minor units become decimals' => function (): void {
        same('45.00', Money::decimal('EUR', 4500));
        same('-0.05', Money::decimal('EUR', -5));
        same('1100', Money::decimal('JPY', 1100));
        same('0.005', Money::decimal('KWD', 5));
    },
    'quantities and pictures are sent as they can be taken' => function (): void {
        $made = Basket::of(facts(['total' => '30.00', 'lines' => [
            line(['quantity' => '0.500', 'subtotal' => '10']),
            line(['quantity' => '3', 'subtotal' => '10', 'image' => 'https://shop.example/a.png']),
            line(['quantity' => '1.0', 'subtotal' => '10', 'image' => 'http://shop.example/a.png']),
        ]]));
        same(['0.5', 3, 1], array_column($made['lines'], 'quantity'));
        same(['https://shop.example/a.png'], array_column($made['lines'], 'image_url'));
    },
    'the rest of rounding is told, and no more than rounding can be' => function (): void {
        $lines = [line(['subtotal' => '1.005']), line(['subtotal' => '1.005'])];
        $made = Basket::of(facts(['total' => '2.01', 'lines' => $lines]));
        same([['kind' => 'rounding', 'name' => 'Rounding', 'amount' => -1]], $made['adjustments']);
        same(201, $made['amount']);
        fails(DoesNotAddUp::class, fn () => Basket::of(facts(['total' => '2.04', 'lines' => $lines])));
        fails(DoesNotAddUp::class, fn () => Basket::of(facts(['total' => '1.99', 'lines' => $lines])));
    },
    'a line below nothing is refused' => function (): void {
        fails(DoesNotAddUp::class, fn () => Basket::of(facts(['total' => '0', 'lines' => [line(['subtotal' => '-1'])]])));
    },
    'every message that was signed is believed, and no other' => function (): void {
        $file = dirname(__DIR__, 3) . '/tests/vectors/webhooks.json';
        foreach (json_decode((string) file_get_contents($file), true)['cases'] as $case) {
            [$id, $time, $signatures] = array_values($case['headers']);
            $told = Webhook::verified($case['body'], $id, $time, $signatures, $case['secret'], $case['now']);
            same([$case['name'], $case['verified']], [$case['name'], $told !== null]);
        }
        same(null, Webhook::verified('{}', 'a', '1', 'v1,' . base64_encode(hash_hmac('sha256', 'a.1.{}', '', true)), '', 1));
    },
    'a call whose answer is lost is repeated with its key' => function (): void {
        $line = new Line([new NoAnswer('lost'), new Answer(503, '{"code":"overloaded"}'), new Answer(201, '{"id":"ord_1"}')]);
        same(['id' => 'ord_1'], $line->friendpay()->post('/orders', ['amount' => 1], 'key-1'));
        same(['key-1', 'key-1', 'key-1'], array_map(fn ($call) => $call[2]['Idempotency-Key'], $line->asked));
        same('https://pay.example/api/v1/orders', $line->asked[0][1]);
    },
    'a refusal is final, a page of somebody in between is no answer' => function (): void {
        $line = new Line([new Answer(422, '{"code":"invalid","detail":"No.","errors":[{"field":"a","message":"b"}]}')]);
        try {
            $line->friendpay()->get('/orders');
        } catch (Refused $refused) {
            same([422, 'invalid', 'No. a: b'], [$refused->status, $refused->problem, $refused->getMessage()]);
        }
        $page = new Answer(404, '<html>');
        fails(NoAnswer::class, fn () => (new Line([$page, $page, $page]))->friendpay()->get('/orders'));
    },
    'a refund whose answer is lost, tried again by staff, is the same refund' => function (): void {
        $line = new Line([new NoAnswer(''), new NoAnswer(''), new NoAnswer(''), new Answer(409, '{"code":"reference_used"}')]);
        $refunding = new Refunding($line->friendpay(), new OneOrder('10.00'), new NoLock());
        fails(NoAnswer::class, fn () => $refunding->refund(7, '10.00', 'Broken'));
        $refunding->refund(7, '10.00', 'Broken');
        same(1, count(array_unique(array_column($line->asked, 3))));
        $next = new Line([new Answer(201, '{}')]);
        (new Refunding($next->friendpay(), new OneOrder('20.00'), new NoLock()))->refund(7, '10.00', 'Broken');
        same(false, $next->asked[0][3] === $line->asked[0][3]); // ten more is another refund
    },
];

$failed = 0;
foreach ($tests as $name => $test) {
    try {
        $test();
    } catch (\Throwable $error) {
        $failed++;
        echo "FAILED: $name: {$error->getMessage()} ({$error->getFile()}:{$error->getLine()})\n";
    }
}
echo count($tests) - $failed, " passed, $failed failed\n";
exit($failed ? 1 : 0);
