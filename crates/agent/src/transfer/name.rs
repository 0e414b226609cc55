//! Names of files that come from elsewhere.

/// Longest name, in bytes: 255 on most systems, less what is added while the file is not complete.
const MAX_BYTES: usize = 200;

/// Longest ending that survives when a name is cut.
const MAX_EXTENSION: usize = 20;

/// Names that stand for devices on Windows, with any ending. The superscript digits count as digits there.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// A name that is safe in any folder of any system, and as much like `name` as that allows: only the last part of a
/// path, without control characters, characters that Windows does not allow or that change the direction of text;
/// not hidden, not a device, not what partial files are called; at most 200 bytes.
pub fn safe_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or("");
    let clean: String = last
        .chars()
        .filter(|c| {
            !c.is_control()
                && !matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let mut safe = cut(clean.trim().trim_end_matches(['.', ' ']));
    if safe.is_empty() {
        return "file".to_owned();
    }
    if safe.starts_with('.') {
        safe.replace_range(..1, "_");
    }
    if is_device(&safe) {
        safe.insert(0, '_');
    }
    let lower = safe.to_ascii_lowercase();
    if lower.ends_with(".part") || lower.ends_with(".part.json") {
        safe.push('_');
    }
    safe
}

/// Whether Windows would open a device instead of a file of this name.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end().to_ascii_lowercase();
    let is_numbered = NUMBERED_DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|n| {
            matches!(n, "¹" | "²" | "³") || (n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
        })
    });
    is_numbered || DEVICES.contains(&stem.as_str())
}

/// The last place between two characters that is not beyond `at`.
pub(super) fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

/// Shortens a name and keeps its ending.
fn cut(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= MAX_EXTENSION { extension } else { "" };
    let stem = &name[..boundary(name, MAX_BYTES - extension.len())];
    // Not after a dot or a space: Windows drops them.
    let stem = if extension.is_empty() { stem.trim_end_matches(['.', ' ']) } else { stem };
    format!("{stem}{extension}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for (name, safe) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system32\\evil.dll", "evil.dll"),
            ("/absolute/path.txt", "path.txt"),
            ("C:\\autoexec.bat", "autoexec.bat"),
            ("C:evil", "C_evil"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            ("///", "file"),
            ("a/..", "file"),
            (".bashrc", "_bashrc"),
            ("nul", "_nul"),
            ("COM1.txt", "_COM1.txt"),
            ("con .txt", "_con .txt"),
            ("CONIN$", "_CONIN$"),
            ("lpt³.log", "_lpt³.log"),
            ("com10", "com10"),
            ("a\0b\nc", "abc"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("trailing. . ", "trailing"),
            ("film.part", "film.part_"),
            ("film.mkv.PART.json", "film.mkv.PART.json_"),
            ("日本語 été 🎉.txt", "日本語 été 🎉.txt"),
            ("a:b|c?.txt", "a_b_c_.txt"),
        ] {
            assert_eq!(safe_file_name(name), safe, "{name:?}");
        }
        assert!(safe_file_name(&format!("{}.txt", "é".repeat(300))).ends_with("é.txt"));
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_plain_one(name in "(\\PC|[./\\\\\u{0}-\u{1f}\u{202a}-\u{202e} ]){0,300}") {
            let safe = safe_file_name(&name);
            prop_assert!(!safe.is_empty() && safe.len() <= 202);
            prop_assert!(!safe.starts_with('.') && !safe.ends_with(['.', ' ']));
            prop_assert!(!safe.contains(['/', '\\', '\0', ':']));
        }
    }
}
