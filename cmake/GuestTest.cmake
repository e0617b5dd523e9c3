find_package(Python3 REQUIRED COMPONENTS Interpreter)
find_program(QEMU qemu-system-x86_64)

# guest_test(GROUP NAME SCRIPT INITRD ARGUMENTS...): the Python script with the bundled kernel on each machine that
# there is, as GROUP.qemu.NAME and GROUP.forkscope.NAME; GUEST_TESTS is set to the names of these tests.
function(guest_test group name script initrd)
  set(tests "")
  foreach(platform qemu forkscope)
    if(platform STREQUAL qemu)
      set(program ${QEMU})
    else()
      set(program $<TARGET_FILE:forkscope>)
    endif()
    if(program)
      add_test(NAME ${group}.${platform}.${name}
        COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/${script} --platform ${platform} --program ${program}
                --kernel $<TARGET_FILE:guest_kernel> --initrd ${initrd} ${ARGN})
      set_tests_properties(${group}.${platform}.${name} PROPERTIES TIMEOUT 300 LABELS slow)
      list(APPEND tests ${group}.${platform}.${name})
    endif()
  endforeach()
  set(GUEST_TESTS ${tests} PARENT_SCOPE)
endfunction()
