extern crate weir_guest as weir;

#[weir::filter]
fn f(a: i64) -> i64 {
    a
}

fn main() {}
