//! Takes out of a core module what nothing reads when it runs: debugging information above all,
//! which is often the larger part. The names of functions stay: a fault's backtrace shows them.

use wasmparser::{Parser, Payload};

/// The module without it.
pub(super) fn strip(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut kept = module.get(..8).unwrap_or_default().to_vec();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|e| e.to_string())?;
        if let Payload::CustomSection(section) = &payload {
            let name = section.name();
            if name != "name" && name != "producers" && !name.starts_with("component-type") {
                continue;
            }
        }
        if let Some((id, range)) = payload.as_section() {
            let size = u32::try_from(range.len()).map_err(|e| e.to_string())?;
            kept.push(id);
            leb128(size, &mut kept);
            kept.extend_from_slice(&module[range]);
        }
    }
    Ok(kept)
}

/// Seven bits a byte, the least significant first, the highest bit set where more follow.
fn leb128(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_information_goes_and_all_else_stays() {
        let text = r#"(module (@custom ".debug_info" "abc") (func $f (export "f") (result i32) (i32.const 7)) (@custom "component-type:x" "def"))"#;
        let module = wat::parse_str(text).unwrap();
        let stripped = strip(&module).unwrap();
        let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(has(&module, ".debug_info") && !has(&stripped, ".debug_info"));
        assert!(has(&stripped, "component-type:x") && has(&stripped, "name"));
        assert_eq!(strip(&stripped).unwrap(), stripped);
        assert!(strip(b"nothing").is_err());
    }
}
