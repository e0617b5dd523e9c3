# The C++ library: exceptions in threads, futures, streams, files.
for build in cxx cxx-pie; do $build; echo "status $?"; done
