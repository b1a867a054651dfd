<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/**
 * Brings an order of the shop's to what friendpay says of it. Every way in asks friendpay for the truth, under the order's
 * lock: messages that come twice, late or out of order, a cron job and the shop's staff all end at the same.
 */
final class Settling
{
    private const ABOUT_REFUNDS = ['refund.failed' => 'refund_failed', 'order.refund_reopened' => 'refund_reopened'];

    public function __construct(
        private readonly Friendpay $friendpay,
        private readonly Shop $shop,
        private readonly Lock $lock,
    ) {
    }

    /**
     * A message of this type named this order of friendpay's. Not ours: nothing happens.
     *
     * @throws NoAnswer|Refused|Busy
     */
    public function heard(string $friendpay, string $type): void
    {
        try {
            $metadata = $this->friendpay->get("/orders/$friendpay")['metadata'];
        } catch (Refused $refused) {
            if ($refused->status === 404) {
                return; // of a key that was replaced
            }
            throw $refused;
        }
        if (($metadata['site'] ?? '') !== $this->shop->site()) {
            return;
        }
        $id = (int) ($metadata['order'] ?? 0);
        $known = $this->alone($id, function (Order $order) use ($friendpay, $type): void {
            $this->bring($order, $this->friendpay->get("/orders/$friendpay"));
            if (isset(self::ABOUT_REFUNDS[$type])) {
                $order->note(self::ABOUT_REFUNDS[$type]);
            }
        });
        if (!$known) {
            $this->shop->log("order $id is not here any more, and friendpay told of it: $friendpay $type");
        }
    }

    /** Asks how an order stands: the buyer came back, or it is time to look. Without an answer nothing happens. */
    public function look(int $id): void
    {
        $this->trying($id, function (Order $order): void {
            if ($order->link()->isOpen()) {
                $this->bring($order, $this->friendpay->get("/orders/{$order->link()->id}"));
            }
        });
    }

    /**
     * Whether the shop may give the order up: only when nobody can pay it any more, which is friendpay's to say. An order
     * that turns out to be paid is confirmed instead. Without an answer: no, not now.
     */
    public function mayGiveUp(int $id): bool
    {
        $may = false;
        $known = $this->trying($id, function (Order $order) use (&$may): void {
            $link = $order->link();
            if ($link->isOpen()) {
                $told = $this->ended($order, "/orders/$link->id/cancel", []);
                $order->remember($order->link()->ended($told['status']));
                $may = $told['status'] !== 'paid';
            } else {
                $may = $link->ended !== 'paid';
            }
        });
        return $may || $known === false;
    }

    /** The order was paid by other means: nobody shall be asked any more, and parts that friends gave go back. */
    public function paidElsewhere(int $id): void
    {
        $this->trying($id, function (Order $order): void {
            $link = $order->link();
            if ($link->isOpen() && $order->paidWith() !== $link->id) {
                $told = $this->ended($order, "/orders/$link->id/mark-paid", ['note' => 'WooCommerce']);
                $order->remember($order->link()->ended($told['paid_elsewhere'] ? 'elsewhere' : $told['status']));
            }
        });
    }

    /**
     * What friendpay says of the order after this call that ends it; one that is paid meanwhile is brought to that.
     *
     * @param array<string, mixed> $body
     * @return array<string, mixed>
     */
    private function ended(Order $order, string $path, array $body): array
    {
        try {
            return $this->friendpay->post($path, $body, bin2hex(random_bytes(16)));
        } catch (Refused $refused) {
            if ($refused->problem !== 'order_paid') {
                throw $refused;
            }
            $told = $this->friendpay->get("/orders/{$order->link()->id}");
            $this->bring($order, $told);
            return $told;
        }
    }

    /** @param array<string, mixed> $told */
    private function bring(Order $order, array $told): void
    {
        $link = $order->link();
        if ($link->id === '' && $told['reference'] === $order->number()) {
            $link = new Link($told['id'], $told['checkout_url']); // it was made, and the shop fell before it knew
            $order->remember($link);
        }
        if ($link->id !== $told['id']) {
            if ($told['status'] === 'paid' && !$told['paid_elsewhere']) {
                $this->tell($order, 'another_paid', ['order' => $told['id']]);
            }
            return;
        }
        if ($told['status'] === 'paid' && !$told['paid_elsewhere']) {
            $this->paid($order, $told);
        } elseif (in_array($told['status'], ['expired', 'cancelled'], true)) {
            $order->remember($link->ended($told['status']));
            if (!$order->isPaid() && $order->waits()) {
                $order->giveUp($told['status']);
            }
        }
    }

    /** @param array<string, mixed> $told */
    private function paid(Order $order, array $told): void
    {
        $currency = $order->currency();
        if (!$order->isPaid()) {
            if ($told['currency'] !== $currency || $told['amount'] !== Money::minor($currency, $order->total())) {
                $this->tell($order, 'amount_differs', ['paid' => Money::decimal($currency, $told['amount'])]);
                return;
            }
            $order->confirm($told['id']);
        } elseif ($order->paidWith() !== $told['id']) {
            $this->tell($order, 'paid_twice', ['order' => $told['id']]);
        }
        if ($order->link()->ended !== 'paid') {
            $order->remember($order->link()->ended('paid'));
        }
        $this->refunded($order, $told);
    }

    /** What went back without the shop's doing is written down; never more than once. */
    private function refunded(Order $order, array $told): void
    {
        $currency = $order->currency();
        $more = $told['amount_refunded'] - Money::minor($currency, $order->refunded());
        if ($more > 0 && $order->paidWith() === $told['id']) {
            $order->recordRefund(Money::decimal($currency, $more));
        }
    }

    /** @param array<string, string> $values */
    private function tell(Order $order, string $what, array $values): void
    {
        if (!$order->link()->wasTold($what)) {
            $order->note($what, $values);
            $this->shop->log("order {$order->number()}: $what " . json_encode($values));
            $order->remember($order->link()->told($what));
        }
    }

    /** @param \Closure(Order): void $work */
    private function alone(int $id, \Closure $work): bool
    {
        return $this->lock->alone("order-$id", function () use ($id, $work): bool {
            $order = $this->shop->order($id);
            if ($order !== null) {
                $work($order);
            }
            return $order !== null;
        });
    }

    /**
     * The same, where nobody waits for it: what goes wrong is logged. False where there is no such order, null where it
     * went wrong.
     *
     * @param \Closure(Order): void $work
     */
    private function trying(int $id, \Closure $work): ?bool
    {
        try {
            return $this->alone($id, $work);
        } catch (NoAnswer | Refused | Busy $error) {
            $this->shop->log("order $id: {$error->getMessage()}");
            return null;
        }
    }
}
