# A program of many threads, with both C libraries, at a fixed address and position-independent.
for build in glibc glibc-pie musl musl-pie; do echo "$build:"; threads-$build; echo "status $?"; done
