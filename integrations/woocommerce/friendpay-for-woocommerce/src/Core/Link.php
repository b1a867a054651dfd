<?php

declare(strict_types=1);

namespace Friendpay\WooCommerce\Core;

/** What an order of the shop's remembers of its order at friendpay. */
final class Link
{
    /**
     * @param string $id of friendpay's order; "" before there is one
     * @param string $checkout the buyer's page there
     * @param string $ended how it ended: "", paid, expired, cancelled or elsewhere
     * @param string $told what staff was told of once, joined by commas
     */
    public function __construct(
        public readonly string $id = '',
        public readonly string $checkout = '',
        public readonly string $ended = '',
        public readonly string $told = '',
    ) {
    }

    public function isOpen(): bool
    {
        return $this->id !== '' && $this->ended === '';
    }

    public function ended(string $how): self
    {
        return new self($this->id, $this->checkout, $how, $this->told);
    }

    public function wasTold(string $what): bool
    {
        return in_array($what, explode(',', $this->told), true);
    }

    public function told(string $what): self
    {
        return new self($this->id, $this->checkout, $this->ended, ltrim("$this->told,$what", ','));
    }
}
