# Paging outside long mode (Intel SDM vol. 3, 4.3 "32-Bit Paging", 4.4 "PAE Paging").
    .include "harness32.inc"

# ---- Paging with 4-byte entries (4.3) and with PAE (4.4): the first 16 MiB and some more onto themselves, TEST by
# ---- page_table.
    .set TEST, 0x60000000
    .set P, 1
    .set W, 2
    .set U, 4
    .set PS, 0x80
    .macro paging_32 cr4=0x10
    movl $page_directory, %edi
    xorl %eax, %eax
    movl $1024, %ecx
    rep stosl
    movl $page_table, %edi
    movl $1024, %ecx
    rep stosl
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movl $\n*0x400000+P+W+U+PS, page_directory+4*\n
    .endr
    movl $page_table+P+W+U, page_directory+4*(TEST>>22)
    movl $0x600|\cr4, %eax
    movl %eax, %cr4
    movl $page_directory, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80010000, %eax
    movl %eax, %cr0
    .endm
    .macro paging_pae
    movl $page_directory, %edi
    xorl %eax, %eax
    movl $1024, %ecx
    rep stosl
    movl $page_table, %edi
    movl $1024, %ecx
    rep stosl
    movl $page_pointers, %edi
    movl $8, %ecx
    rep stosl
    movl $page_directory+P, page_pointers
    movl $page_directory+P, page_pointers+8
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    movl $\n*0x200000+P+W+U+PS, page_directory+8*\n
    .endr
    movl $page_table+P+W+U, page_directory+8*((TEST>>21)&0x1ff)
    movl $0x620, %eax
    movl %eax, %cr4
    movl $page_pointers, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80010000, %eax
    movl %eax, %cr0
    .endm
    .macro show_bits name, place
    movl \place, %eax
    andl $0xfff, %eax
    show \name, %eax
    .endm
    fact page32_bits, "directory=27 table=67 large=a7"
    paging_32
    movl $FRAMES+P+W+U, page_table
    movb %al, TEST
    show_bits directory, page_directory+4*(TEST>>22)
    show_bits table, page_table
    movl page_directory, %ebx                     # IDT and TSS are there, and were not written
    andl $0xfff, %ebx
    andl $~0x40, %ebx
    show large, %ebx
    end_fact
    fact page32_not_present, "#PF(2) +0 cr2=60000004"
    paging_32
9:  movl %eax, TEST+4
    end_fact
    fact page32_read_only, "#PF(3) +0 cr2=60000000"
    paging_32
    movl $FRAMES+P, page_table
9:  movl %eax, TEST
    end_fact
    fact page32_supervisor, "#PF(5) +0 cr2=60000000"
    paging_32
    movl $FRAMES+P, page_table
    user 9f
9:  movl TEST, %eax
    end_fact
    fact page32_reserved, "#PF(9) +0 cr2=60400000"      # bit 21 of a 4 MiB page
    paging_32
    movl $0x1000000+0x200000+P+W+PS, page_directory+4*((TEST>>22)+1)
9:  movb TEST+0x400000, %al
    end_fact
    qemu_says "#PF(8) +0 cr2=60400000", "QEMU leaves P out"
    fact page32_fetch, "#PF(0) @60000000 cr2=60000000"  # no I/D without PAE
    paging_32
    movl $TEST, %eax
    jmp *%eax
    finish_fact
    fact page32_crossing, "eax=44332211"
    paging_32
    movl $FRAMES+0x1000+P+W, page_table
    movl $FRAMES+P+W, page_table+4
    movl $0x44332211, TEST+0xffe
    movl TEST+0xffe, %eax
    show eax, %eax
    end_fact
    fact pae_bits, "directory=27 table=67"
    paging_pae
    movl $FRAMES+P+W+U, page_table
    movb %al, TEST
    show_bits directory, page_directory+8*((TEST>>21)&0x1ff)
    show_bits table, page_table
    end_fact
    fact pae_not_present, "#PF(2) +0 cr2=60000004"
    paging_pae
9:  movl %eax, TEST+4
    end_fact
    fact pae_missing_pointer, "#PF(0) +0 cr2=80000000"
    paging_pae
9:  movl 0x80000000, %eax
    end_fact
    fact pae_reserved, "#PF(9) +0 cr2=60000000"
    paging_pae
    movl $FRAMES+P+W+U, page_table
    movl $0x80000, page_table+4                   # bit 51
9:  movl TEST, %eax
    end_fact
    qemu_says "#PF(8) +0 cr2=60000000", "QEMU leaves P out"
    fact pae_pointer_reserved, "#GP(0) +0"        # 4.4.1: MOV CR3 loads and checks the four pointers
    paging_pae
    movl $page_directory+P+W, page_pointers+16
    movl $page_pointers, %eax
9:  movl %eax, %cr3
    end_fact
    qemu_says "ok", "QEMU does not load the pointers"
    fact pae_no_execute, "#PF(11) @60000000 cr2=60000000"
    movl $0xc0000080, %ecx
    rdmsr
    btsl $11, %eax
    wrmsr
    paging_pae
    movl $FRAMES+P+W, page_table
    movl $0x80000000, page_table+4
    movl $TEST, %eax
    jmp *%eax
    finish_fact

# ---- A task switch loads CR3 from the new TSS (7.3 "Task Switching"), and with it another TLB (4.10.4.1).
    fact page32_task_switch, "before=11 after=22 cr3=1"
    paging_32
    movl $0x11, FRAMES
    movl $0x22, FRAMES+0x400000
    movl $FRAMES+P+W+U, page_table
    movl $page_directory, %esi
    movl $page_pointers, %edi
    movl $1024, %ecx
    rep movsl
    movl $FRAMES+0x400000+P+W+U+PS, page_pointers+4*(TEST>>22)
    .irp place, 72, 80, 84, 88, 92                # ES SS DS FS GS
    movl $DATA0, tss2+\place
    .endr
    movl $CODE32, tss2+76
    movl %esp, tss2+56
    movl $2, tss2+36
    movl $1f, tss2+32
    movl $page_pointers, tss2+28
    movl TEST, %ebx
    movl %ebx, tss2+52
9:  ljmp $TSS2, $0
1:  movl TEST, %ecx
    show before, %ebx
    show after, %ecx
    movl %cr3, %eax
    subl $page_pointers, %eax
    cmpl $1, %eax
    sbbl %eax, %eax
    negl %eax
    show cr3, %eax
    end_fact
    known "#GP(40) +0", "the engine takes EIP back to the jump when it fills its TLB after the switch of CR3"
