extern crate weir_guest as weir;

#[weir::map]
fn f(a: i64, #[param(default = "ten")] by: i64) -> i64 {
    a * by
}

fn main() {}
