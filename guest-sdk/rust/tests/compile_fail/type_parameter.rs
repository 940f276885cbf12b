extern crate weir_guest as weir;

#[weir::map]
fn f<T>(a: T) -> T {
    a
}

fn main() {}
