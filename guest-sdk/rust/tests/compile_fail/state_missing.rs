extern crate weir_guest as weir;

#[weir::stateful_map]
fn balance(amount: i64) -> i64 {
    amount
}

fn main() {}
