//! What is worth knowing about a library, whatever its format.
use goblin::Object;
use serde::Serialize;

/// The function that Node calls when it loads an addon, and one that old versions of Node-API's tools add.
const NODE_API: [&str; 2] = ["napi_register_module_v1", "node_api_module_get_api_version_v1"];

/// What a library may ask for at most.
#[derive(Default)]
pub(crate) struct Limits {
    /// The newest version of glibc whose symbols it may use, as major and minor.
    pub(crate) glibc: Option<(u32, u32)>,
    /// The size of the file.
    pub(crate) bytes: Option<usize>,
}

/// A library, as its headers describe it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Library {
    /// `elf`, `mach-o` or `pe`.
    pub(crate) format: &'static str,
    /// The processor, in the words of Node's `process.arch`.
    pub(crate) arch: &'static str,
    /// The size of the file in bytes.
    pub(crate) bytes: usize,
    /// Functions and data that others can link to.
    pub(crate) exports: Vec<String>,
    /// The libraries that have to be on the system.
    pub(crate) needs: Vec<String>,
    /// The oldest glibc that has all that it uses; none where it uses no glibc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) glibc: Option<String>,
    /// Whether loading it makes the stack executable.
    pub(crate) executable_stack: bool,
    /// Whether any part of it is mapped both writable and executable.
    pub(crate) writable_code: bool,
    /// Whether names and lines for debuggers were left in.
    pub(crate) debug_info: bool,
}

impl Library {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        match Object::parse(bytes).map_err(|error| error.to_string())? {
            Object::Elf(elf) => Ok(crate::elf::describe(&elf, bytes.len())),
            Object::Mach(goblin::mach::Mach::Binary(mach)) => crate::mach::describe(&mach, bytes.len()),
            Object::PE(pe) => Ok(crate::pe::describe(&pe, bytes.len())),
            _ => Err("is no shared library for one processor (ELF, Mach-O or PE)".to_owned()),
        }
    }

    /// Why it must not be published; nothing if it may.
    pub(crate) fn complaints(&self, limits: &Limits) -> Vec<String> {
        let mut complaints = Vec::new();
        if !self.exports.iter().any(|name| name == NODE_API[0]) {
            complaints.push(format!("does not export {}: Node can't load it", NODE_API[0]));
        }
        let strangers: Vec<_> =
            self.exports.iter().filter(|name| !NODE_API.contains(&name.as_str())).collect();
        if !strangers.is_empty() {
            let first = strangers[0];
            complaints
                .push(format!("exports {} names besides Node-API's, {first} among them", strangers.len()));
        }
        if self.executable_stack {
            complaints.push("makes the stack executable".to_owned());
        }
        if self.writable_code {
            complaints.push("has code that can be written to".to_owned());
        }
        if self.debug_info {
            complaints.push("is not stripped".to_owned());
        }
        if let (Some(limit), Some(glibc)) = (limits.glibc, &self.glibc)
            && version(glibc).is_none_or(|needed| needed > limit)
        {
            complaints.push(format!("needs glibc {glibc}, newer than {}.{}", limit.0, limit.1));
        }
        if let Some(limit) = limits.bytes
            && self.bytes > limit
        {
            complaints.push(format!("has {} bytes, more than {limit}", self.bytes));
        }
        complaints
    }
}

/// `2.17` or `2.2.5` as major and minor.
pub(crate) fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Library {
        Library {
            format: "elf",
            arch: "x64",
            bytes: 10,
            exports: vec![NODE_API[0].to_owned()],
            needs: Vec::new(),
            glibc: Some("2.17".to_owned()),
            executable_stack: false,
            writable_code: false,
            debug_info: false,
        }
    }

    const LIMITS: Limits = Limits { glibc: Some((2, 17)), bytes: Some(10) };

    #[test]
    fn a_library_at_its_limits_may_be_published() {
        assert!(good().complaints(&LIMITS).is_empty());
    }

    #[test]
    fn each_thing_that_would_fail_at_a_user_is_refused() {
        type Spoil = fn(&mut Library);
        let spoil: [(&str, Spoil); 7] = [
            ("can't load it", |library| library.exports.clear()),
            ("malloc", |library| library.exports.push("malloc".to_owned())),
            ("stack", |library| library.executable_stack = true),
            ("written", |library| library.writable_code = true),
            ("stripped", |library| library.debug_info = true),
            ("glibc 2.34", |library| library.glibc = Some("2.34".to_owned())),
            ("11 bytes", |library| library.bytes = 11),
        ];
        for (word, spoil) in spoil {
            let mut library = good();
            spoil(&mut library);
            let complaints = library.complaints(&LIMITS);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(complaints[0].contains(word), "{complaints:?}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("2.4") < version("2.17"));
        assert_eq!(version("2.2.5"), Some((2, 2)));
        assert_eq!(version("PRIVATE"), None);
    }

    #[test]
    fn a_file_that_is_no_library_is_said_to_be_none() {
        assert!(Library::read(b"#!/bin/sh\n").is_err());
        assert!(Library::read(&[]).is_err());
    }
}
