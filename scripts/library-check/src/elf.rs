//! Linux, Android, FreeBSD.
use goblin::elf::{Elf, header, program_header as segment, section_header::SHN_UNDEF, sym};

use crate::library::{Library, version};

const WRITE_AND_EXECUTE: u32 = segment::PF_X | segment::PF_W;

pub(crate) fn describe(elf: &Elf<'_>, bytes: usize) -> Library {
    let stack = elf.program_headers.iter().find(|header| header.p_type == segment::PT_GNU_STACK);
    Library {
        format: "elf",
        arch: match elf.header.e_machine {
            header::EM_X86_64 => "x64",
            header::EM_AARCH64 => "arm64",
            header::EM_ARM => "arm",
            _ => "unknown",
        },
        bytes,
        exports: exports(elf),
        needs: elf.libraries.iter().map(|&name| name.to_owned()).collect(),
        glibc: glibc(elf),
        // Without the header, the C library of some systems makes the stack executable.
        executable_stack: stack.is_none_or(|stack| stack.p_flags & segment::PF_X != 0),
        writable_code: elf.program_headers.iter().any(|header| {
            header.p_type == segment::PT_LOAD && header.p_flags & WRITE_AND_EXECUTE == WRITE_AND_EXECUTE
        }),
        debug_info: elf.section_headers.iter().any(|section| {
            elf.shdr_strtab.get_at(section.sh_name).is_some_and(|name| name.starts_with(".debug_"))
        }),
    }
}

fn exports(elf: &Elf<'_>) -> Vec<String> {
    let defined = elf.dynsyms.iter().filter(|symbol| {
        symbol.st_shndx != SHN_UNDEF as usize
            && symbol.st_bind() != sym::STB_LOCAL
            && symbol.st_visibility() == sym::STV_DEFAULT
    });
    defined.filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name).map(str::to_owned)).collect()
}

/// The newest version of glibc among the symbols that it uses.
fn glibc(elf: &Elf<'_>) -> Option<String> {
    let libraries = elf.verneed.iter().flat_map(|section| section.iter());
    let names =
        libraries.flat_map(|library| library.iter().map(|symbol| symbol.vna_name).collect::<Vec<_>>());
    names
        .filter_map(|name| elf.dynstrtab.get_at(name)?.strip_prefix("GLIBC_").map(str::to_owned))
        .max_by_key(|name| version(name))
}
