extern crate weir_guest as weir;

#[weir::map]
fn f(a: u32) -> i64 {
    i64::from(a)
}

fn main() {}
