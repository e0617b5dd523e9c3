# Debian's static zlib, zstd and liblzma, the last with worker threads.
compress; echo "status $?"
