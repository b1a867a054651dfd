<?php

/** WooCommerce's orders, as its documents have them: what they are made of, their statuses with all hooks, stock, refunds. */

declare(strict_types=1);

class WC_Order_Item
{
    public function __construct(protected readonly array $data)
    {
    }

    /** `get_subtotal_tax()` and its like. */
    public function __call(string $name, array $arguments): string
    {
        return (string) ($this->data[substr($name, 4)] ?? '');
    }

    public function get_product(): WC_Product
    {
        return new WC_Product($this->data['name']);
    }
}

class WC_Order_Item_Product extends WC_Order_Item
{
}

class WC_Order_Item_Coupon extends WC_Order_Item
{
}

class WC_Order_Item_Tax extends WC_Order_Item
{
}

class WC_Order
{
    private const KINDS = [
        'line_item' => WC_Order_Item_Product::class,
        'coupon' => WC_Order_Item_Coupon::class,
        'tax' => WC_Order_Item_Tax::class,
    ];
    private string $moved = '';

    public function __construct(private array $data)
    {
    }

    public static function create(array $data): self
    {
        $id = Store::count('orders', 1);
        $order = new self($data + [
            'id' => $id, 'number' => (string) $id, 'order_key' => "wc_order_$id", 'status' => 'pending',
            'payment_method' => 'friendpay', 'transaction_id' => '', 'date_paid' => null, 'meta' => [],
            'created_via' => 'checkout', 'reduced' => false, 'billing_first_name' => 'Lin',
        ]);
        $order->save();
        return $order;
    }

    public static function generate_meta_cache_key(int $id, string $group): string
    {
        return "$group-$id";
    }

    public function __call(string $name, array $arguments): mixed
    {
        return $this->data[substr($name, 4)];
    }

    public function get_order_number(): string
    {
        return $this->data['number'];
    }

    /** @return array<int, WC_Order_Item> */
    public function get_items(string $type): array
    {
        $kind = self::KINDS[$type] ?? WC_Order_Item::class;
        return array_map(static fn (array $item): WC_Order_Item => new $kind($item), $this->data['items'][$type] ?? []);
    }

    public function get_meta(string $name): string
    {
        return $this->data['meta'][$name] ?? '';
    }

    public function update_meta_data(string $name, string $value): void
    {
        $this->data['meta'][$name] = $value;
    }

    public function has_status(array|string $status): bool
    {
        return in_array($this->data['status'], (array) $status, true);
    }

    public function add_order_note(string $words): int
    {
        Store::append("notes-{$this->data['id']}", $words);
        return 1;
    }

    public function update_status(string $to, string $note = ''): bool
    {
        $this->set_status($to);
        if ($note !== '') {
            $this->add_order_note($note);
        }
        $this->save();
        return true;
    }

    /** Only from the statuses that wait for money. */
    public function payment_complete(string $transaction = ''): bool
    {
        if ($this->has_status(['on-hold', 'pending', 'failed', 'cancelled'])) {
            $this->data['transaction_id'] = $transaction ?: $this->data['transaction_id'];
            $this->data['date_paid'] ??= time();
            $this->set_status('processing');
            $this->save();
            Store::append("confirmed-{$this->data['id']}", $transaction);
            do_action('woocommerce_payment_complete', $this->data['id'], $transaction);
        }
        return true;
    }

    public function get_total_refunded(): string
    {
        $sum = array_sum(array_map('floatval', array_column(Store::read("refunds-{$this->data['id']}", []), 'amount')));
        return number_format($sum, 3, '.', '');
    }

    public function save(): int
    {
        Store::write("order-{$this->data['id']}", $this->data);
        [$from, $this->moved] = [$this->moved, ''];
        if ($from !== '') {
            $this->move_stock();
            do_action("woocommerce_order_status_{$this->data['status']}", $this->data['id'], $this);
            do_action('woocommerce_order_status_changed', $this->data['id'], $from, $this->data['status'], $this);
        }
        return $this->data['id'];
    }

    private function set_status(string $to): void
    {
        $this->moved = $this->data['status'] === $to ? '' : $this->data['status'];
        $this->data['status'] = $to;
        if (in_array($to, wc_get_is_paid_statuses(), true)) {
            $this->data['date_paid'] ??= time();
        }
    }

    /** Held from on-hold on, free again when it is cancelled or pending. */
    private function move_stock(): void
    {
        $wanted = match (true) {
            $this->has_status(['on-hold', 'processing', 'completed']) => true,
            $this->has_status(['cancelled', 'pending']) => false,
            default => $this->data['reduced'],
        };
        if ($wanted !== $this->data['reduced']) {
            $pieces = array_sum(array_map('intval', array_column($this->data['items']['line_item'], 'quantity')));
            Store::count('stock', $wanted ? -$pieces : $pieces);
            $this->data['reduced'] = $wanted;
            Store::write("order-{$this->data['id']}", $this->data);
        }
    }
}

final class WC_Order_Refund extends WC_Order
{
}

function wc_get_order(int $id): WC_Order|false
{
    $data = Store::read("order-$id");
    return $data ? new WC_Order($data) : false;
}

/** @return list<WC_Order|int> */
function wc_get_orders(array $query): array
{
    $found = [];
    for ($id = 1; $id <= Store::count('orders', 0); $id++) {
        $order = wc_get_order($id);
        if ($order && $order->has_status($query['status']) && $order->get_payment_method() === $query['payment_method']) {
            $found[] = $query['return'] === 'ids' ? $order->get_id() : $order;
        }
    }
    return $found;
}

/** Written down first, then sent by the gateway; taken out again when that says no. */
function wc_create_refund(array $wanted): array|WP_Error
{
    $id = $wanted['order_id'];
    $refunds = Store::read("refunds-$id", []);
    $made = ['amount' => $wanted['amount'], 'reason' => $wanted['reason']];
    Store::write("refunds-$id", [...$refunds, $made]);
    if ($wanted['refund_payment']) {
        $sent = gateway()->process_refund($id, $wanted['amount'], $wanted['reason']);
        if (is_wp_error($sent)) {
            Store::write("refunds-$id", $refunds);
            return $sent;
        }
    }
    return $made;
}

/** The shop's time for unpaid orders is over for all that are pending. */
function wc_cancel_unpaid_orders(): void
{
    for ($id = 1; $id <= Store::count('orders', 0); $id++) {
        $order = wc_get_order($id);
        if (!$order) {
            continue;
        }
        $may = 'checkout' === $order->get_created_via();
        if ($order->has_status('pending') && apply_filters('woocommerce_cancel_unpaid_order', $may, $order)) {
            $order->update_status('cancelled', 'Unpaid order cancelled - time limit reached.');
        }
    }
}

function gateway(): WC_Payment_Gateway
{
    $class = apply_filters('woocommerce_payment_gateways', [])[0];
    return new $class();
}
