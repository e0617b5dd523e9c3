# Accesses that cross from one page into the next, and translations that change (Intel SDM vol. 3, 4.10.4 "Invalidation of
# TLBs and Paging-Structure Caches").
    .include "harness64.inc"

# ---- Accesses that cross from one page into the next.
    .macro second_missing
    map 0, FRAMES+P+W+U
    .endm
    fact cross_read, "#PF(0) +0 cr2=60001000"
    second_missing
9:  movq TEST+0xffc, %rax
    end_fact
    fact cross_write_leaves_first, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    fact cross_write_sse_leaves_first, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    pcmpeqb %xmm0, %xmm0
    resume 1f
9:  movups %xmm0, TEST+0xff8
1:  movq FRAMES+0xff8, %rax
    show first, %rax
    end_fact
    qemu_says "#PF(2) +0 cr2=60001000 first=ffffffffffffffff", "QEMU stores 16 bytes as two halves"
    known "#PF(2) +0 cr2=60001000 first=ffffffffffffffff", "the engine stores 16 bytes as two halves"
    fact cross_rmw, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    resume 1f
9:  notq TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    qemu_says "#PF(0) +0 cr2=60001000 first=0", "QEMU reads first, and says that"
    fact cross_locked_rmw, "#PF(2) +0 cr2=60001000"
    second_missing
9:  lock incq TEST+0xffe
    end_fact
    qemu_says "#PF(0) +0 cr2=60001000", "QEMU reads first, and says that"
    fact cross_second_read_only, "#PF(3) +0 cr2=60001000 first=0"
    second_missing
    map 1, FRAMES+0x1000+P
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    fact cross_first_read_only, "#PF(3) +0 cr2=60000ffc second=0"
    map 0, FRAMES+P
    map 1, FRAMES+0x1000+P+W
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0x1000, %eax
    show second, %rax
    end_fact
    fact cross_push, "#PF(2) +0 cr2=60001000 rsp=60001006"
    second_missing
    movb $1, idt+14*16+4
    movq $TEST+0x1006, %rsp
    resume 1f
9:  pushq %rax
1:  show rsp, last_rsp
    end_fact
    fact cross_both_present, "rax=807060504030201"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W                             # not next to each other in memory
    movabsq $0x0807060504030201, %rcx
    movq %rcx, TEST+0xffd
    movq TEST+0xffd, %rax
    show rax, %rax
    end_fact
    fact cross_both_present_bytes, "first=30201 second=807060504"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W
    movabsq $0x0807060504030201, %rcx
    movq %rcx, TEST+0xffd
    movl FRAMES+0x2ffc, %eax
    shrl $8, %eax
    show first, %rax
    movq FRAMES, %rax
    show second, %rax
    end_fact
    fact cross_fetch, "#PF(10) @60000ffe cr2=60001000"
    second_missing
    movw $0x05c7, FRAMES+0xffe                    # MOV mem, imm32: ten bytes
    movl $TEST+0xffe, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_after_others, "#PF(10) @60000ffc cr2=60001000 rcx=3"
    second_missing
    movl $0xc1ffc1ff, FRAMES+0xff6                # INC ECX, three times
    movw $0xc1ff, FRAMES+0xffa
    movl $0xb948, FRAMES+0xffc                    # MOV RCX, imm64
    resume 1f
    movl $TEST+0xff6, %eax
    jmp *%rax
1:  show rcx, %rcx
    end_fact
    fact cross_fetch_at_the_seam, "#PF(10) @60001000 cr2=60001000 rcx=2"
    second_missing
    movl $0xc1ffc1ff, FRAMES+0xffc
    resume 1f
    movl $TEST+0xffc, %eax
    jmp *%rax
1:  show rcx, %rcx
    end_fact
    fact cross_fetch_user, "#PF(14) @60000fff cr2=60001000"
    second_missing
    movb $0xb8, FRAMES+0xfff                      # MOV EAX, imm32
    user 1f
1:  movl $TEST+0xfff, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_nx, "#PF(11) @60000fff cr2=60001000"
    second_missing
    map 1, FRAMES+0x1000+P+W+NX
    movb $0xb8, FRAMES+0xfff
    movl $TEST+0xfff, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_whole, "rax=12345678"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W
    movw $0x78b8, FRAMES+0x2ffe                   # MOV EAX, 0x12345678; RET
    movl $0xc3123456, FRAMES
    movl $TEST+0xffe, %eax
    call *%rax
    show rax, %rax
    end_fact

# ---- Translations that change (4.10.4 "Invalidation of TLBs and Paging-Structure Caches").
    .macro two_frames
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    map 0, FRAMES+P+W
    movzbl TEST, %ebx
    .endm
    fact tlb_invlpg, "before=11 after=22"
    two_frames
    map 0, FRAMES+0x1000+P+W
    invlpg TEST
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_cr3, "before=11 after=22"
    two_frames
    map 0, FRAMES+0x1000+P+W
    movq %cr3, %rax
    movq %rax, %cr3
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_global_by_pge, "before=11 after=22"
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    movl $BASE_CR4+0x80, %eax
    movq %rax, %cr4
    map 0, FRAMES+P+W+G
    movzbl TEST, %ebx
    map 0, FRAMES+0x1000+P+W+G
    movl $BASE_CR4, %eax
    movq %rax, %cr4
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_global_by_invlpg, "before=11 after=22"
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    movl $BASE_CR4+0x80, %eax
    movq %rax, %cr4
    map 0, FRAMES+P+W+G
    movzbl TEST, %ebx
    map 0, FRAMES+0x1000+P+W+G
    invlpg TEST+0x800
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_not_present_is_not_cached, "#PF(0) +0 cr2=60000000 after=11"       # 4.10.2.3: no entry for what is not there
    movb $0x11, FRAMES
    resume 1f
9:  movzbl TEST, %ecx
1:  map 0, FRAMES+P
    movzbl TEST, %ecx
    show after, %rcx
    end_fact
    fact tlb_fault_drops_its_entry, "#PF(3) +0 cr2=60000000 ok"         # 4.10.4.1: a #PF invalidates the address
    map 0, FRAMES+P
    movb TEST, %al
    resume 1f
9:  movb %al, TEST
1:  map 0, FRAMES+P+W
    movb %al, TEST
    say ok
    end_fact
    fact tlb_invlpg_of_2m_page, "before=11 after=22"     # 4.10.4.1: wherever in the page the operand is
    movb $0x11, FRAMES
    movq $FRAMES+P+W+PS, test_pd_entry
    movzbl TEST2M, %ebx
    movb $0x22, FRAMES+0x200000
    movq $FRAMES+0x200000+P+W+PS, test_pd_entry
    invlpg TEST2M+0x123456
    movzbl TEST2M, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_large_becomes_small, "before=11 after=22"
    movb $0x11, FRAMES
    movq $FRAMES+P+W+PS, test_pd_entry
    movzbl TEST2M, %ebx
    movb $0x22, FRAMES+0x1000
    movq $FRAMES+0x1000+P+W, deep_pt
    movq $deep_pt+P+W, test_pd_entry
    invlpg TEST2M
    movzbl TEST2M, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_invlpg_not_canonical, "ok"           # vol. 2, "INVLPG": nothing happens
    movabsq $0x800000000000, %rax
9:  invlpg (%rax)
    end_fact
    fact tlb_nx_set, "#PF(11) @60000000 cr2=60000000"
    movb $0xc3, FRAMES
    map 0, FRAMES+P+W
    movl $TEST, %ecx
    call *%rcx
    map 0, FRAMES+P+W+NX
    invlpg TEST
    call *%rcx
    end_fact
    fact tlb_fetched_is_not_readable, "#PF(1) +0 cr2=60000000"          # SMAP without SMEP: code of CPL 3 runs, and is no data
    movb $0xc3, FRAMES
    map 0, FRAMES+P+W+U
    movl $BASE_CR4+0x200000, %eax
    movq %rax, %cr4
    movl $TEST, %ecx
    call *%rcx
9:  movb TEST, %al
    end_fact
    fact alias_of_one_frame, "a=5a b=5a"
    map 0, FRAMES+P+W
    map 1, FRAMES+P+W
    movb $0x5a, TEST+0x10
    movzbl TEST+0x1010, %eax
    show a, %rax
    movzbl FRAMES+0x10, %eax
    show b, %rax
    end_fact
    fact table_maps_itself, "rax=ff"              # a page table as data, through itself
    movq $test_pt, %rax
    orq $P+W, %rax
    movq %rax, test_pt+8
    movb $0xff, FRAMES+0x1000
    movq $FRAMES+0x1000+P+W, TEST+0x1000+16       # entry 2, written through the mapping
    movzbl TEST+0x2000, %eax
    show rax, %rax
    end_fact
