# A multiboot image: says its command line and its modules on COM1, then leaves by isa-debug-exit with 0.
    .set FLAGS, 3
    .code32
    .section .text
    .balign 4
    .long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)

    .globl start
start:
    movl $stack_top, %esp
    cmpl $0x2badb002, %eax
    jne wrong
    movl %ebx, %ebp
    movl 16(%ebp), %esi         # cmdline: past the file's name
1:  lodsb
    testb %al, %al
    jz 2f
    cmpb $' ', %al
    jne 1b
    call put_string
2:  call new_line
    movl 20(%ebp), %ecx         # modules
    movl 24(%ebp), %edi
    jecxz 4f
3:  movl 8(%edi), %esi
    call put_string
    movb $'=', %al
    call put
    movl (%edi), %esi
5:  cmpl 4(%edi), %esi
    jae 6f
    lodsb
    call put
    jmp 5b
6:  call new_line
    addl $16, %edi
    loop 3b
4:
    movb $0, %al
    outb %al, $0xf4
wrong:
    movb $1, %al
    outb %al, $0xf4
    hlt

put_string:
    lodsb
    testb %al, %al
    jz 1f
    call put
    jmp put_string
1:  ret

new_line:
    movb $'\n', %al
put:
    movw $0x3f8, %dx
    outb %al, %dx
    ret

    .bss
    .skip 4096
stack_top:
