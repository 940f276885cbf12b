//! The limits of a component: the defaults, what `[limits]` says, what its own entry says, and nothing above the
//! ceiling.

use super::Share;
use super::bind::did_you_mean;
use super::quantity::{duration_us, size_bytes};
use super::spec::{At, FunctionsSpec, LimitsSpec, Text};
use crate::error::Invalid;
use crate::sandbox::settings::{self, Amount, Setting, Unit};
use crate::sandbox::{Ceiling, Limits};

/// The path of an entry of `[functions]`.
pub(super) fn function_path(at: &At<FunctionsSpec>) -> &str {
    match at.get_ref() {
        FunctionsSpec::Path(path) => path,
        FunctionsSpec::Table(table) => &table.path,
    }
}

/// The limits of an entry of `[functions]`; `default` where the pipeline says nothing.
pub(super) fn function_limits(
    text: &Text,
    all: &LimitsSpec,
    at: &At<FunctionsSpec>,
    ceiling: &Ceiling,
    default: Limits,
) -> Result<Limits, Invalid> {
    let mut limits = default.within(ceiling);
    for (name, value) in all {
        set(&mut limits, name.get_ref(), value.get_ref(), ceiling).map_err(|wrong| match wrong {
            Wrong::Name(message, hint) => text.wrong(name, message).hint(hint),
            Wrong::Value(message) => text.wrong(value, message),
        })?;
    }
    match at.get_ref() {
        FunctionsSpec::Path(_) => Ok(limits),
        FunctionsSpec::Table(table) => {
            for (name, value) in &table.limits {
                set(&mut limits, name, value, ceiling).map_err(|wrong| match wrong {
                    Wrong::Name(message, hint) => text.wrong(at, message).hint(hint),
                    Wrong::Value(message) => text.wrong(at, message),
                })?;
            }
            Ok(limits)
        }
    }
}

/// `max-failed = "1%"`.
pub(super) fn max_failed(text: &Text, at: &At<String>) -> Result<Share, Invalid> {
    let percent = at.get_ref().strip_suffix('%').and_then(|n| n.trim().parse::<f64>().ok());
    match percent.filter(|n| (0.0..=100.0).contains(n)) {
        Some(percent) => Ok(Share(percent / 100.0)),
        None => Err(text
            .wrong(at, format!("`{}` is no share of the rows", at.get_ref()))
            .hint("write a number from 0 to 100 and a percent sign, as in `1%`")),
    }
}

enum Wrong {
    Name(String, String),
    Value(String),
}

fn set(limits: &mut Limits, name: &str, value: &toml::Value, ceiling: &Ceiling) -> Result<(), Wrong> {
    let setting = settings::find(name).ok_or_else(|| {
        let all: Vec<_> = settings::ALL.iter().map(|s| s.name).collect();
        Wrong::Name(format!("there is no limit `{name}`"), did_you_mean(name, &all))
    })?;
    let amount = amount(setting, value).map_err(Wrong::Value)?;
    if let Some(problem) = (setting.problem)(amount) {
        return Err(Wrong::Value(problem));
    }
    (setting.set)(limits, amount);
    ceiling.check(limits).map_err(|over| Wrong::Value(over.to_string()))
}

fn amount(setting: &Setting, value: &toml::Value) -> Result<Amount, String> {
    match (setting.unit, value) {
        (Unit::Bytes, toml::Value::String(text)) => Ok(Amount::Bytes(size_bytes(text)? as u64)),
        (Unit::Time, toml::Value::String(text)) => {
            let us = u64::try_from(duration_us(text)?).map_err(|_| format!("`{text}` is less than nothing"))?;
            Ok(Amount::Time(std::time::Duration::from_micros(us)))
        }
        (Unit::Count, toml::Value::Integer(n)) => {
            u64::try_from(*n).map(Amount::Count).map_err(|_| format!("`{n}` is less than nothing"))
        }
        (unit, value) => Err(format!(
            "`{}` is {}, not `{value}`",
            setting.name,
            match unit {
                Unit::Bytes => "a size, as in `\"64MiB\"`",
                Unit::Time => "a duration, as in `\"1s\"`",
                Unit::Count => "a whole number",
            }
        )),
    }
}

/// The defaults with these settings, as a dead letter has them.
pub(crate) fn limits_as_written(
    written: &std::collections::BTreeMap<String, serde_json::Value>,
) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, value) in written {
        let value = match value {
            serde_json::Value::String(text) => toml::Value::String(text.clone()),
            other => toml::Value::Integer(other.as_i64().ok_or_else(|| format!("`{name}` is {other}"))?),
        };
        set(&mut limits, name, &value, &Ceiling::default()).map_err(|wrong| match wrong {
            Wrong::Name(message, _) | Wrong::Value(message) => message,
        })?;
    }
    Ok(limits)
}
