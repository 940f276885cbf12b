extern crate weir_guest as weir;

#[derive(Clone)]
struct Opaque;

#[weir::map]
fn f(a: i64, #[param] by: Opaque) -> i64 {
    let _ = by;
    a
}

fn main() {}
