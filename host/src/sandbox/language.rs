//! The language that a component is written in, and what an interpreter needs of limits.
//!
//! `weir build` leaves a custom section at the component's end; one from elsewhere has none. It decides nothing but
//! the limits that hold where a pipeline says nothing: a component that lies about it gets what it could
//! have asked for in the open, within the ceiling.

use std::time::Duration;

use super::limits::Limits;

/// The section's name; its content is the language's, as `weir.toml` has it, and an engine behind a slash.
const SECTION: &[u8] = b"weir:language";

/// The component with its language said.
pub(crate) fn mark(mut component: Vec<u8>, language: &str) -> Vec<u8> {
    let size = 1 + SECTION.len() + language.len();
    // Both lengths are below 128: one byte each.
    component.extend([0, size as u8, SECTION.len() as u8]);
    component.extend(SECTION);
    component.extend(language.as_bytes());
    component
}

/// The language that a component says it is written in.
pub(crate) fn of(component: &[u8]) -> Option<&str> {
    let mut rest = component.get(8..)?;
    while let Some((id, behind)) = rest.split_first() {
        let (size, behind) = leb128(behind)?;
        let (section, behind) = behind.split_at_checked(size)?;
        if let (0, Some((length, named))) = (id, section.split_first())
            && usize::from(*length) == SECTION.len()
            && let Some(language) = named.strip_prefix(SECTION)
        {
            return std::str::from_utf8(language).ok();
        }
        rest = behind;
    }
    None
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[i + 1..]));
        }
    }
    None
}

impl Limits {
    /// What holds for a component where nothing else is said: the default, and room for an interpreter.
    pub fn of_component(component: &[u8]) -> Self {
        let default = Self::default();
        match of(component) {
            Some("python") => {
                Self { memory_bytes_max: 128 << 20, compile_time_max: Duration::from_secs(300), ..default }
            }
            Some("javascript/starlingmonkey") => {
                Self { memory_bytes_max: 320 << 20, compile_time_max: Duration::from_secs(300), ..default }
            }
            _ => default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_says_its_language_and_gets_its_limits() {
        let plain = wat::parse_str(r#"(component (core module (func)) (@custom "x" "y"))"#).unwrap();
        assert_eq!(of(&plain), None);
        assert_eq!(Limits::of_component(&plain), Limits::default());
        let marked = mark(plain, "python");
        assert_eq!(of(&marked), Some("python"));
        assert_eq!(Limits::of_component(&marked).memory_bytes_max, 128 << 20);
        assert!(wasmparser::Parser::new(0).parse_all(&marked).all(|p| p.is_ok()));
        // What is cut off says nothing.
        assert!((0..marked.len()).all(|n| of(&marked[..n]).is_none_or(|l| "python".starts_with(l))));
    }
}
