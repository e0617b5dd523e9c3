# Accessed and dirty flags in long mode (Intel SDM vol. 3, 4.8 "Accessed and Dirty Flags").
    .include "harness64.inc"
    .include "deep.inc"

# ---- 4.8 "Accessed and Dirty Flags": A in every entry used, D in the leaf of a write.
    fact ad_4k_nothing, "pml4=7 pdpt=7 pd=7 pt=7"
    deep_4k
    show_path_4k
    end_fact
    fact ad_4k_read, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    movb (%rbx), %al
    show_path_4k
    end_fact
    fact ad_4k_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_read_then_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    movb (%rbx), %al
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_fetch, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    movb $0xc3, FRAMES
    call *%rbx
    show_path_4k
    end_fact
    fact ad_4k_rmw, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    addq $1, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_failed_compare_exchange, "pml4=27 pdpt=27 pd=27 pt=67"   # vol. 2, "CMPXCHG": it always writes
    deep_4k
    movl $5, %eax
    lock cmpxchgl %ecx, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_compare, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    cmpl $5, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_write_wp_off, "pml4=27 pdpt=27 pd=27 pt=65"
    deep_4k P+U
    movl $BASE_CR0-0x10000, %ecx
    movq %rcx, %cr0
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_user_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    resume 2f
    user 1f
1:  movb %al, (%rbx)
    leave
2:  show_path_4k
    end_fact
    fact ad_4k_after_clearing, "pml4=27 pdpt=27 pd=27 pt=27 pt=67"      # with the flush that 4.8 asks for
    deep_4k
    movb %al, (%rbx)
    andq $~(A+D), deep_pt
    invlpg (%rbx)
    movb (%rbx), %al
    show_path_4k
    movb %al, (%rbx)
    show_entry pt, deep_pt
    end_fact
    fact ad_4k_write_refused, "#PF(3) +0 cr2=8000000000 dirty=0"
    deep_4k P+U
    resume 1f
9:  movb %al, (%rbx)
1:  movq deep_pt, %rax
    andl $D, %eax
    show dirty, %rax
    end_fact
    fact ad_2m_read, "pml4=27 pdpt=27 pd=a7"
    deep_2m
    movb (%rbx), %al
    show_path_2m
    end_fact
    fact ad_2m_write, "pml4=27 pdpt=27 pd=e7"
    deep_2m
    movb %al, 0x12345(%rbx)
    show_path_2m
    end_fact
    fact ad_2m_fetch, "pml4=27 pdpt=27 pd=a7"
    deep_2m
    movb $0xc3, FRAMES
    call *%rbx
    show_path_2m
    end_fact
    fact ad_1g_read, "pml4=27 pdpt=a7"
    deep_1g
    movb (%rbx), %al
    show_path_1g
    end_fact
    fact ad_1g_write, "pml4=27 pdpt=e7"
    deep_1g
    movb %al, (%rbx)
    show_path_1g
    end_fact
    fact ad_1g_fetch, "pml4=27 pdpt=a7"
    deep_1g
    movb $0xc3, FRAMES
    call *%rbx
    show_path_1g
    end_fact
    fact ad_crossing_write, "first=67 second=67"
    map 0, FRAMES+P+W+U
    map 1, FRAMES+0x1000+P+W+U
    movq %rcx, TEST+0xffc
    show_entry first, test_pt
    show_entry second, test_pt+8
    end_fact
    fact ad_crossing_read, "first=27 second=27"
    map 0, FRAMES+P+W+U
    map 1, FRAMES+0x1000+P+W+U
    movq TEST+0xffc, %rcx
    show_entry first, test_pt
    show_entry second, test_pt+8
    end_fact
    fact ad_of_stack_at_delivery, "#UD +0 pt=63"
    map 0, FRAMES+P+W
    movq $TEST+0x1000, tss+36
    movb $1, idt+6*16+4
    resume 1f
9:  ud2
1:  show_entry pt, test_pt
    end_fact
    fact ad_of_idt, "#BP +1 pt=21"
    map 0, FRAMES+P
    movq $idt, %rsi
    movq $FRAMES, %rdi
    movl $512, %ecx
    rep movsq
    movw $0xfff, 0x80800
    movq $TEST, 0x80802
    lidt 0x80800
    resume 1f
9:  int3
1:  show_entry pt, test_pt
    end_fact
