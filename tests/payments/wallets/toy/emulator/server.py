"""A stand-in for Toy Pay, as far as `bin/up --emulators` asks for one."""

from friendpay.demo.emulation.base import Emulator


class ToyPay(Emulator):
    name, brand = "toypay", "Toy Pay"

    def account(self) -> dict[str, str]:
        return {"shop_number": "17", "token": "a token of Toy Pay"}
