<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** Asking a friend: whether it is offered for a basket, and doing it for an order. */
final class Asking
{
    public function __construct(
        private readonly Friendpay $friendpay,
        private readonly Shop $shop,
        private readonly Lock $lock,
        private readonly Settling $settling,
    ) {
    }

    /**
     * Whether friendpay offers this buyer to ask a friend: the shop's own rules there decide. No answer within seconds: no,
     * and the shop's other ways to pay go on.
     *
     * @param array<string, mixed> $basket currency and amount, and lines with their categories where they are known
     */
    public function offered(array $basket, string $buyer, string $locale, string $screen): bool
    {
        $body = $basket + ['buyer' => ['id' => $buyer], 'locale' => $locale];
        try {
            $told = $this->friendpay->post("/offers?screen=$screen", $body, bin2hex(random_bytes(16)), 0, 3);
        } catch (NoAnswer | Refused $error) {
            $this->shop->log("offers: {$error->getMessage()}");
            return false;
        }
        return in_array('friend', array_column($told['shown'], 'method'), true);
    }

    /**
     * Asks a friend for an order, holds it, and gives the buyer's page at friendpay. However often it is called, and by
     * however many at a time, one friend is asked; when the sum has changed meanwhile, anew.
     *
     * @param array<string, mixed> $body of `Basket::of`, with buyer, return_url, locale and expires_in
     * @throws NoAnswer|Refused|Busy|DoesNotAddUp nothing is held then
     */
    public function ask(int $id, array $body, string $screen): string
    {
        return $this->lock->alone("order-$id", function () use ($id, $body, $screen): string {
            $order = $this->shop->order($id) ?? throw new \LogicException("no order $id");
            if ($body['amount'] !== Money::exact($order->currency(), $order->total())) {
                throw new DoesNotAddUp("order $id is no more what was asked for");
            }
            if ($order->link()->isOpen() && !$this->sameIsOpen($order, $body) && !$this->settling->mayGiveUp($id)) {
                $order = $this->shop->order($id);
                return $order?->isPaid() ? $order->link()->checkout : throw new NoAnswer("order $id has another sum");
            }
            $order = $this->shop->order($id) ?? throw new \LogicException("no order $id");
            if (!$order->link()->isOpen()) {
                $told = $this->place($order, $body, $screen);
                $order->remember(new Link($told['id'], $told['checkout_url']));
            }
            $order->hold();
            return $order->link()->checkout;
        });
    }

    /** @param array<string, mixed> $body */
    private function sameIsOpen(Order $order, array $body): bool
    {
        $told = $this->friendpay->get("/orders/{$order->link()->id}");
        $same = $told['amount'] === $body['amount'] && $told['currency'] === $body['currency'];
        return $same && $told['status'] === 'awaiting_payment';
    }

    /**
     * One order at friendpay, and a friend asked with it. Who has the number already is ours, made by a call whose answer was
     * lost long ago, or somebody else's: then nothing is made.
     *
     * @param array<string, mixed> $body
     * @return array<string, mixed>
     */
    private function place(Order $order, array $body, string $screen): array
    {
        $ours = ['site' => $this->shop->site(), 'order' => (string) $order->id()];
        $body += ['reference' => $order->number(), 'metadata' => $ours, 'payment_request' => (object) []];
        $key = 'wc-' . hash('sha256', implode('|', [...$ours, $order->link()->id, json_encode($body)]));
        try {
            return $this->friendpay->post("/orders?screen=$screen", $body, $key);
        } catch (Refused $refused) {
            if ($refused->problem !== 'reference_used') {
                throw $refused;
            }
            $query = http_build_query(['reference' => $order->number()]);
            foreach ($this->friendpay->get("/orders?$query")['data'] as $known) {
                $same = $known['metadata'] === $ours && $known['amount'] === $body['amount'];
                if ($same && in_array($known['status'], ['awaiting_payment', 'paid'], true)) {
                    return $known;
                }
            }
            throw $refused;
        }
    }
}
