//! `echo`: gives back what it is given, for every data type, nulls included.

/// An overload of `echo`.
macro_rules! echo {
    ($($function:ident: $value:ty),+ $(,)?) => {
        $(
            /// The same value.
            #[weir::map(name = "echo", output = "echo")]
            pub fn $function(value: Option<$value>) -> Option<$value> {
                value
            }
        )+
    };
}

echo! {
    echo_boolean: bool,
    echo_int32: i32,
    echo_int64: i64,
    echo_float32: f32,
    echo_float64: f64,
    echo_timestamp: weir::Timestamp,
}

/// The same value.
#[weir::map(name = "echo", output = "echo")]
pub fn echo_text(value: Option<&str>) -> Option<&str> {
    value
}

/// The same value.
#[weir::map(name = "echo", output = "echo")]
pub fn echo_bytes(value: Option<&[u8]>) -> Option<&[u8]> {
    value
}
