// Preloaded into a program by musl before 1.2.4, which leaves out DT_RELR, the short form of relative relocations: makes up for it before any
// constructor runs. The C++ library of recent builds has it. What the program has copied of that library is copied anew.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

// Not in the headers of that time.
enum { TAG_RELRSZ = 35, TAG_RELR = 36 };
#ifdef __aarch64__
enum { RELOCATION_COPY = R_AARCH64_COPY };
#else
enum { RELOCATION_COPY = R_X86_64_COPY };
#endif
enum { PAGE = 4096, BITS = 8 * sizeof(uintptr_t) - 1 };

// Constants that were relocated are read-only by now.
static void unlock(const struct dl_phdr_info *object) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type != PT_GNU_RELRO) continue;
    uintptr_t start = (object->dlpi_addr + part->p_vaddr) & -PAGE;
    uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
    mprotect((void *)start, (end - start + PAGE - 1) & -PAGE, PROT_READ | PROT_WRITE);
  }
}

// The value of an entry of the dynamic section; 0 if there is none.
static uintptr_t entry_of(const struct dl_phdr_info *object, ElfW(Sxword) tag) {
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const ElfW(Dyn) *entry = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == tag) return entry->d_un.d_val;
    }
  }
  return 0;
}

static int relocate(struct dl_phdr_info *object, size_t size, void *unused) {
  uintptr_t base = object->dlpi_addr;
  const uintptr_t *table = (const void *)(base + entry_of(object, TAG_RELR));
  size_t count = entry_of(object, TAG_RELRSZ) / sizeof *table;
  if (count == 0) return 0;
  unlock(object);
  uintptr_t *next = 0;
  for (size_t i = 0; i < count; i++) {
    uintptr_t entry = table[i];
    if (entry & 1) {
      for (size_t bit = 0; (entry >>= 1) != 0; bit++) {
        if (entry & 1) next[bit] += base;
      }
      next += BITS;
    } else {
      next = (uintptr_t *)(base + entry);
      *next++ += base;
    }
  }
  return 0;
}

static int copy(struct dl_phdr_info *program, size_t size, void *unused) {
  uintptr_t base = program->dlpi_addr;
  const ElfW(Rela) *relocations = (const void *)(base + entry_of(program, DT_RELA));
  const ElfW(Sym) *symbols = (const void *)(base + entry_of(program, DT_SYMTAB));
  const char *names = (const void *)(base + entry_of(program, DT_STRTAB));
  size_t count = entry_of(program, DT_RELASZ) / sizeof *relocations;
  unlock(program);
  for (size_t i = 0; i < count; i++) {
    if (ELF64_R_TYPE(relocations[i].r_info) != RELOCATION_COPY) continue;
    const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(relocations[i].r_info)];
    const void *original = dlsym(RTLD_NEXT, names + symbol->st_name);
    if (original) memcpy((void *)(base + relocations[i].r_offset), original, symbol->st_size);
  }
  return 1; // The program is the first; no other has any.
}

__attribute__((constructor)) static void start(void) {
  dl_iterate_phdr(relocate, 0);
  dl_iterate_phdr(copy, 0);
}
