# Access rights of a 4 KiB page (Intel SDM vol. 3, 4.6.1 "Determination of Access Rights"): every combination of
# U/S, R/W and XD in the entry, of CR0.WP, CR4.SMEP, CR4.SMAP and EFLAGS.AC, of CPL and kind of access. The error
# code is that of 4.7 "Page-Fault Exceptions".
    .include "harness64.inc"

# One fact. smap: 0 off, 1 on with AC = 0, 2 on with AC = 1.
    .macro right u, w, nx, wp, smep, smap, cpl, access
    .set refused, 0
    .if \cpl == 3
      .if \u == 0
        .set refused, 1
      .endif
      .ifc \access, write
        .if \w == 0
          .set refused, 1
        .endif
      .endif
    .else
      .ifc \access, fetch
        .if \u && \smep
          .set refused, 1
        .endif
      .else
        .if \u && (\smap == 1)
          .set refused, 1
        .endif
        .ifc \access, write
          .if (\w == 0) && \wp
            .set refused, 1
          .endif
        .endif
      .endif
    .endif
    .ifc \access, fetch
      .if \nx
        .set refused, 1
      .endif
    .endif
    right_line \u, \w, \nx, \wp, \smep, \smap, \cpl, \access
    .endm

# The error codes: P always; W/R 2, U/S 4, I/D 10.
    .macro right_line u, w, nx, wp, smep, smap, cpl, access
    .if refused == 0
      right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "ok"
    .else
      .ifc \access, read
        .if \cpl == 3
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(5) +0 cr2=60000000"
        .else
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(1) +0 cr2=60000000"
        .endif
      .endif
      .ifc \access, write
        .if \cpl == 3
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(7) +0 cr2=60000000"
        .else
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(3) +0 cr2=60000000"
        .endif
      .endif
      .ifc \access, fetch
        .if \cpl == 3
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(15) @60000000 cr2=60000000"
        .else
          right_fact \u, \w, \nx, \wp, \smep, \smap, \cpl, \access, "#PF(11) @60000000 cr2=60000000"
        .endif
      .endif
    .endif
    .endm

    .macro right_fact u, w, nx, wp, smep, smap, cpl, access, line
    fact u\u\()_w\w\()_nx\nx\()_wp\wp\()_smep\smep\()_smap\smap\()_cpl\cpl\()_\access, "\line"
    movb $0xc3, FRAMES                            # RET
    map 0, FRAMES+P+W*\w+U*\u+(NX*\nx)
    movl $BASE_CR0-0x10000*(1-\wp), %eax
    movq %rax, %cr0
    .set cr4, BASE_CR4+0x100000*\smep
    .if \smap
    .set cr4, cr4+0x200000
    .endif
    movl $cr4, %eax
    movq %rax, %cr4
    .if \cpl == 3
    .if \smap == 2
    .set rflags, 0x40002
    .else
    .set rflags, 2
    .endif
    user 1f, rflags
1:
    .else
    .if \smap == 2
    stac
    .endif
    .endif
    .ifc \access, read
9:  movb TEST, %al
    .endif
    .ifc \access, write
9:  movb %al, TEST
    .endif
    .ifc \access, fetch
    movl $TEST, %eax
9:  call *%rax
    .endif
    .if \cpl == 3
    leave
    .endif
    end_fact
    .endm

    .macro all_accesses u, w, nx, wp, smep, smap
    .irp cpl, 0, 3
    .irp access, read, write, fetch
    right \u, \w, \nx, \wp, \smep, \smap, \cpl, \access
    .endr
    .endr
    .endm

    .irp u, 0, 1
    .irp w, 0, 1
    .irp nx, 0, 1
    .irp wp, 0, 1
    .irp smep, 0, 1
    .irp smap, 0, 1, 2
    all_accesses \u, \w, \nx, \wp, \smep, \smap
    .endr
    .endr
    .endr
    .endr
    .endr
    .endr
