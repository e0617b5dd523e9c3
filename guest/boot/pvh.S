// The first instructions: PVH entry, long mode, the jump to the higher half.
//
// The loader enters here in 32-bit protected mode without paging, EBX = physical address of hvm_start_info
// (Xen "x86/HVM direct boot ABI"). The addresses in use are physical until the jump.

#include "guest/arch/segment.hpp"

#define PHYS(symbol) (symbol - 0xffffffff80000000)

#define CR0_PE_MP_ET_NE_WP_PG 0x80010033
#define CR4_PAE 0x20
#define EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define ENTRY_TABLE 0x003      /* present, writable */
#define ENTRY_LARGE 0x083      /* present, writable, 2 MiB */
#define DIRECT_MAP_SLOT 273    /* 0xffff888000000000 >> 39 & 511 */

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, 18             /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad PHYS(pvh_start)

    .balign 4
    .long 10, 0, 1             /* abi::kImageNotePlainCpio (guest/abi/image_note.hpp) */
    .asciz "Forkscope"
    .balign 4

    .section .text.boot, "ax"
    .code32
    .globl pvh_start
pvh_start:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %ebx, %ebp            /* CPUID clobbers EBX */

    /* Long mode and no-execute pages, or nothing to do here. */
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb unsupported
    movl $0x80000001, %eax
    cpuid
    andl $0x20100000, %edx
    cmpl $0x20100000, %edx
    jne unsupported

    /* 2048 large pages: the first 4 GiB, seen at 0, in the direct map, and their first GiB at the kernel's base. */
    movl $PHYS(boot_pmds), %edi
    movl $ENTRY_LARGE, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $PHYS(boot_pud), %edi
    movl $(PHYS(boot_pmds) + ENTRY_TABLE), %eax
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $(PHYS(boot_pmds) + ENTRY_TABLE), PHYS(boot_pud_kernel) + 510 * 8

    movl $(PHYS(boot_pud) + ENTRY_TABLE), PHYS(boot_pgd)
    movl $(PHYS(boot_pud) + ENTRY_TABLE), PHYS(boot_pgd) + DIRECT_MAP_SLOT * 8
    movl $(PHYS(boot_pud_kernel) + ENTRY_TABLE), PHYS(boot_pgd) + 511 * 8

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYS(boot_pgd), %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl $CR0_PE_MP_ET_NE_WP_PG, %eax
    movl %eax, %cr0

    lgdt PHYS(boot_gdt_pointer)
    pushl $KERNEL_CS
    pushl $PHYS(long_mode)
    lret

unsupported:
    movl $PHYS(unsupported_text), %esi
    movw $0x3f8, %dx
3:  lodsb
    testb %al, %al
    jz 4f
    outb %al, %dx
    jmp 3b
4:  hlt
    jmp 4b

    .code64
long_mode:
    movabsq $higher_half, %rax
    jmp *%rax
higher_half:
    movl $KERNEL_DS, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $init_stack + 16384, %rsp
    lgdt boot_gdt_pointer_high(%rip)
    movl %ebp, %edi            /* hvm_start_info */
    xorl %ebp, %ebp            /* the end of every backtrace */
    call start_kernel
    ud2

    .section .rodata
unsupported_text:
    .asciz "Forkscope's kernel needs a 64-bit CPU with no-execute pages.\n"
    .balign 8
boot_gdt:
    .quad 0
    .quad 0
    .quad 0x00af9b000000ffff   /* KERNEL_CS: 64-bit code */
    .quad 0x00cf93000000ffff   /* KERNEL_DS */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long PHYS(boot_gdt)
    .balign 8
boot_gdt_pointer_high:
    .word 31
    .quad boot_gdt

    .section .bss
    .balign 4096
boot_pgd:
    .skip 4096
boot_pud:
    .skip 4096
boot_pud_kernel:
    .skip 4096
boot_pmds:
    .skip 4 * 4096
    .skip 256
boot_stack_top:

    .balign 16384
    .globl init_stack
init_stack:
    .skip 16384

    .section .note.GNU-stack, "", @progbits
