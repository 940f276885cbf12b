extern crate weir_guest as weir;

#[weir::map(columns)]
fn f(a: i64) -> Vec<i64> {
    vec![a]
}

fn main() {}
