"""Pages for buyers and friends: parse, call one function, render."""
