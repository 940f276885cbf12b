extern crate weir_guest as weir;

#[weir::map]
fn f(a: i64) -> u64 {
    a as u64
}

fn main() {}
