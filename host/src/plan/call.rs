//! A call as it is written in a step: `flights.departed`, `stats.quantile(dep_delay, q = 0.95)`.
//!
//! Columns are given by position and parameters by name. Without parentheses the columns are
//! those with the names of the function's inputs.

/// A call, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// The entry of `[functions]`.
    pub(super) component: String,
    /// The function.
    pub(super) function: String,
    /// The columns; `None` without parentheses.
    pub(super) columns: Option<Vec<String>>,
    /// Parameters and the text forms of their values.
    pub(super) parameters: Vec<(String, String)>,
}

/// Takes a call apart.
pub(super) fn parse(text: &str) -> Result<Call, String> {
    let wrong = |what: &str| {
        format!(
            "`{text}` is no call: {what}; write `component.function` or `component.function(column, parameter = 1)`"
        )
    };
    let (path, arguments) = match text.trim().split_once('(') {
        None => (text.trim(), None),
        Some((path, rest)) => {
            let inner = rest.strip_suffix(')').ok_or_else(|| wrong("a `)` is missing at the end"))?;
            (path.trim(), Some(inner))
        }
    };
    let (component, function) =
        path.split_once('.').ok_or_else(|| wrong("there is no `.` between component and function"))?;
    if !is_name(component) || !is_name(function) {
        return Err(wrong(&format!("`{path}` is not two names")));
    }
    let mut call = Call {
        component: component.to_string(),
        function: function.to_string(),
        columns: arguments.map(|_| Vec::new()),
        parameters: Vec::new(),
    };
    for argument in split(arguments.unwrap_or_default()).map_err(|what| wrong(&what))? {
        match argument.find('=').filter(|_| !argument.starts_with(['"', '`'])) {
            Some(equals) => {
                let (name, value) = (argument[..equals].trim(), argument[equals + 1..].trim());
                let value = value_text(value).ok_or_else(|| {
                    wrong(&format!("`{value}` is no value; write a number, true, false or a text in double quotes"))
                })?;
                call.parameters.push((name.to_string(), value));
            }
            None if call.parameters.is_empty() => {
                let column = argument.strip_prefix('`').and_then(|a| a.strip_suffix('`')).unwrap_or(argument);
                if column.is_empty() {
                    return Err(wrong("an argument is empty"));
                }
                call.columns.get_or_insert_default().push(column.to_string());
            }
            None => return Err(wrong("columns come before parameters")),
        }
    }
    Ok(call)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The arguments, split at commas that stand in no quotes.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (i, c) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if c == ',' => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            None => {}
        }
    }
    if let Some(open) = quote {
        return Err(format!("a {open} is never closed"));
    }
    if !text[start..].trim().is_empty() || !parts.is_empty() {
        parts.push(text[start..].trim());
    }
    Ok(parts)
}

/// The text form of a literal: a TOML value that is no table or list.
fn value_text(literal: &str) -> Option<String> {
    let table: toml::Table = toml::from_str(&format!("v = {literal}")).ok()?;
    scalar_text(table.get("v")?)
}

/// The text form of a parameter's value.
pub(super) fn scalar_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(yes) => Some(yes.to_string()),
        toml::Value::Datetime(time) => Some(time.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        let call = parse("stats.quantile(dep_delay, q = 0.95, s = \"a, \\\"b\\\" = c\")").expect("a call");
        assert_eq!((call.component.as_str(), call.function.as_str()), ("stats", "quantile"));
        assert_eq!(call.columns, Some(vec!["dep_delay".to_string()]));
        assert_eq!(call.parameters, [("q".into(), "0.95".into()), ("s".into(), "a, \"b\" = c".into())]);
        assert_eq!(parse("a.b").expect("a call").columns, None);
        assert_eq!(parse("a.b()").expect("a call").columns, Some(vec![]));
        assert_eq!(parse("a.b(`odd, name`)").expect("a call").columns, Some(vec!["odd, name".to_string()]));
    }

    #[test]
    fn what_is_no_call() {
        for (text, what) in [
            ("count", "there is no `.`"),
            ("a.b(c", "a `)` is missing"),
            ("a.b(,)", "an argument is empty"),
            ("a.b(q = 1, c)", "columns come before parameters"),
            ("a.b(q = [1])", "`[1]` is no value"),
            ("a.b(q = \"x)", "is never closed"),
            ("a b.c", "not two names"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
