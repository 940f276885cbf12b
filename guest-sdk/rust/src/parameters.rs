//! Parameters: constants of an instance, asked from the host as text and parsed once.

use std::any::{TypeId, type_name};
use std::cell::OnceCell;
use std::fmt::Display;
use std::str::FromStr;
use std::thread::LocalKey;

use crate::bindings::weir::udf::types::{DataType, Parameter as Signature};
use crate::{Timestamp, host};

/// A type that a parameter may have: one that its text parses into. `bool`, `i32`, `i64`, `f32`,
/// `f64` and [`Timestamp`] are such in the catalog too; all others are text there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter",
    label = "not the type of a parameter",
    note = "use bool, i32, i64, f32, f64, String, &str, weir::Timestamp, or a type that implements FromStr with an error that implements Display"
)]
pub trait Parameter: Sized + 'static {
    /// The type in the catalog.
    fn data_type() -> DataType;
    /// The value of a text, or what was wrong.
    fn parse(text: &str) -> Result<Self, String>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr<Err: Display> + 'static> Parameter for T {
    fn data_type() -> DataType {
        let this = TypeId::of::<T>();
        [
            (TypeId::of::<bool>(), DataType::Boolean),
            (TypeId::of::<i32>(), DataType::Int32),
            (TypeId::of::<i64>(), DataType::Int64),
            (TypeId::of::<f32>(), DataType::Float32),
            (TypeId::of::<f64>(), DataType::Float64),
            (TypeId::of::<Timestamp>(), DataType::Timestamp),
        ]
        .into_iter()
        .find_map(|(id, data_type)| (id == this).then_some(data_type))
        .unwrap_or(DataType::Text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(crate::output::message)
    }
}

/// The parameters of a function: the fields of a struct with `#[derive(weir::Parameters)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no parameters",
    label = "the fields of an aggregate's type are its parameters",
    note = "add #[derive(weir::Parameters)] to the type; a unit struct has none"
)]
pub trait Parameters: Sized + 'static {
    /// What the catalog says of them.
    fn signature() -> Vec<Signature>;
    /// Asks the host for them.
    fn read() -> Result<Self, String>;
    /// Where they stay for the life of the instance.
    fn cell() -> &'static LocalKey<OnceCell<Self>>;
}

/// What the catalog says of a parameter. A time stands there in microseconds, however it is written.
pub fn parameter<T: Parameter>(name: &str, default: Option<&str>, doc: &str) -> Signature {
    let data_type = T::data_type();
    let default = default.map(|text| match (data_type, text.parse()) {
        (DataType::Timestamp, Ok(Timestamp(microseconds))) => microseconds.to_string(),
        _ => text.to_owned(),
    });
    Signature { name: name.to_owned(), data_type, default, doc: doc.to_owned() }
}

/// Asks the host for a parameter.
pub fn parse<T: Parameter>(name: &str, default: Option<&str>) -> Result<T, String> {
    let expected = match T::data_type() {
        DataType::Boolean => "true or false",
        DataType::Int32 => "a whole number of 32 bits",
        DataType::Int64 => "a whole number of 64 bits",
        DataType::Float32 | DataType::Float64 => "a number",
        DataType::Timestamp => "a time like 2013-02-08T12:30:00Z, or microseconds since 1970",
        DataType::Text | DataType::Bytes if TypeId::of::<T>() == TypeId::of::<String>() => "a text",
        DataType::Text | DataType::Bytes => "",
    };
    let expected = || match expected {
        "" => format!("the text form of a {}", type_name::<T>().rsplit("::").next().unwrap_or_default()),
        _ => expected.to_owned(),
    };
    let given = host::parameter(name);
    let Some(text) = given.as_deref().or(default) else {
        return Err(format!("parameter `{name}`: missing; expected {}", expected()));
    };
    T::parse(text).map_err(|error| format!("parameter `{name}`: `{text}`: {error}; expected {}", expected()))
}

/// Runs `f` with the parameters, which are parsed when an instance first needs them. Natively they
/// are parsed each time, because tests change them.
#[inline]
pub fn with_parameters<P: Parameters, R>(f: impl FnOnce(&P) -> Result<R, String>) -> Result<R, String> {
    if cfg!(not(target_family = "wasm")) {
        return f(&P::read()?);
    }
    P::cell().with(|cell| {
        if let Some(parameters) = cell.get() {
            return f(parameters);
        }
        let parameters = P::read()?;
        f(cell.get_or_init(|| parameters))
    })
}
