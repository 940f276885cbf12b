extern crate weir_guest as weir;

#[weir::map(nam = "x")]
fn f(a: i64) -> i64 {
    a
}

fn main() {}
