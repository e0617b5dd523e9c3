// Lua's interpreter from Debian's static library: `lua FILE ARGUMENT...`. Status 0, or 1 and the error as Lua
// says it.
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static int traceback(lua_State* lua) {
    luaL_traceback(lua, lua, lua_tostring(lua, 1), 1);
    return 1;
}

static char* read_all(const char* path, size_t* length) {
    FILE* file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char* text = malloc(*length + 1);
    if (text == NULL || fread(text, 1, *length, file) != *length) exit(1);
    fclose(file);
    return text;
}

int main(int argc, char** argv) {
    if (argc < 2) {
        fputs("usage: lua FILE ARGUMENT...\n", stderr);
        return 2;
    }
    size_t length;
    char* text = read_all(argv[1], &length);
    lua_State* lua = luaL_newstate();
    if (lua == NULL) return 1;
    luaL_openlibs(lua);
    lua_pushcfunction(lua, traceback);
    // The same name wherever the file lies, so that messages compare.
    int status = luaL_loadbuffer(lua, text, length, "=script");
    for (int i = 2; i < argc; ++i) lua_pushstring(lua, argv[i]);
    if (status == LUA_OK) status = lua_pcall(lua, argc - 2, 0, 1);
    if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    lua_close(lua);
    free(text);
    return status == LUA_OK ? 0 : 1;
}
