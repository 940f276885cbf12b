extern crate weir_guest as weir;

struct Nothing;

weir::export!(Nothing);

fn main() {}
