extern crate weir_guest as weir;

#[weir::group_map]
fn median(value: f64) -> f64 {
    value
}

fn main() {}
