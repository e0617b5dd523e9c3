# Lua from Debian's static library.
lua "${0%/*}/work.lua" one "two words" >out 2>errors; echo "status $?"
sed 's|/tmp/lua_[A-Za-z0-9]*|TEMPORARY|' out; cat errors
lua nothing.lua 2>/dev/null; echo "status $?"
lua 2>/dev/null; echo "status $?"
