// The host's keys as the guest is to see them, and those that it is not to see.
#include "emu/ui/keyboard.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "emu/ui/host_keys.hpp"

namespace forkscope::ui {
namespace {

class KeyboardTest : public ::testing::Test {
protected:
    void down(SDL_Scancode code, SDL_Keycode letter, unsigned modifiers = 0) {
        keyboard.key(event(SDL_KEYDOWN, code, letter, modifiers));
    }
    void up(SDL_Scancode code, SDL_Keycode letter) { keyboard.key(event(SDL_KEYUP, code, letter, 0)); }
    void writes(const char* text) {
        SDL_TextInputEvent event{};
        event.type = SDL_TEXTINPUT;
        std::strncpy(event.text, text, sizeof event.text - 1);
        keyboard.text(event);
    }
    static SDL_KeyboardEvent event(uint32_t type, SDL_Scancode code, SDL_Keycode letter, unsigned modifiers) {
        SDL_KeyboardEvent event{};
        event.type = type;
        event.keysym.scancode = code;
        event.keysym.sym = letter;
        event.keysym.mod = static_cast<uint16_t>(modifiers);
        return event;
    }
    std::vector<Input> sent() { return link.take_inputs(); }

    GuestLink link;
    Keyboard keyboard{link};
};

TEST_F(KeyboardTest, ByPlacesSendsKeysAlone) {
    // The key between T and U, on a German keyboard.
    down(SDL_SCANCODE_Y, SDLK_z);
    writes("z");
    down(SDL_SCANCODE_Y, SDLK_z);
    up(SDL_SCANCODE_Y, SDLK_z);
    EXPECT_EQ((std::vector<Input>{KeyInput{SDL_SCANCODE_Y, true}, KeyInput{SDL_SCANCODE_Y, true},
                                  KeyInput{SDL_SCANCODE_Y, false}}),
              sent());
}

TEST_F(KeyboardTest, ByLettersSendsTextAndOtherKeys) {
    keyboard.set_mode(Keyboard::Mode::Letters);
    down(SDL_SCANCODE_Y, SDLK_z);
    writes("z");
    up(SDL_SCANCODE_Y, SDLK_z);
    down(SDL_SCANCODE_RETURN, SDLK_RETURN);
    up(SDL_SCANCODE_RETURN, SDLK_RETURN);
    EXPECT_EQ((std::vector<Input>{TextInput{"z"}, KeyInput{SDL_SCANCODE_RETURN, true},
                                  KeyInput{SDL_SCANCODE_RETURN, false}}),
              sent());
}

TEST_F(KeyboardTest, ByLettersTheKeypadWritesOnce) {
    keyboard.set_mode(Keyboard::Mode::Letters);
    down(SDL_SCANCODE_KP_7, SDLK_KP_7);
    writes("7");
    EXPECT_EQ((std::vector<Input>{KeyInput{SDL_SCANCODE_KP_7, true}}), sent());
}

TEST_F(KeyboardTest, ByLettersControlGoesWithTheLetter) {
    keyboard.set_mode(Keyboard::Mode::Letters);
    down(SDL_SCANCODE_LCTRL, SDLK_LCTRL, KMOD_LCTRL);
    down(SDL_SCANCODE_Y, SDLK_z, KMOD_LCTRL);
    up(SDL_SCANCODE_LCTRL, SDLK_LCTRL);
    up(SDL_SCANCODE_Y, SDLK_z);
    EXPECT_EQ((std::vector<Input>{KeyInput{SDL_SCANCODE_LCTRL, true}, KeyInput{SDL_SCANCODE_Z, true},
                                  KeyInput{SDL_SCANCODE_LCTRL, false}, KeyInput{SDL_SCANCODE_Z, false}}),
              sent());
}

TEST_F(KeyboardTest, ByLettersAltGrOnlyChoosesCharacters) {
    keyboard.set_mode(Keyboard::Mode::Letters);
    down(SDL_SCANCODE_RALT, SDLK_RALT, KMOD_RALT);
    down(SDL_SCANCODE_Q, SDLK_q, KMOD_RALT);
    writes("@");
    up(SDL_SCANCODE_RALT, SDLK_RALT);
    EXPECT_EQ((std::vector<Input>{TextInput{"@"}}), sent());
}

TEST_F(KeyboardTest, HoldsNothingWithoutTheFocus) {
    down(SDL_SCANCODE_LSHIFT, SDLK_LSHIFT);
    static_cast<void>(sent());
    keyboard.release_all();
    up(SDL_SCANCODE_LSHIFT, SDLK_LSHIFT);
    EXPECT_EQ((std::vector<Input>{KeyInput{SDL_SCANCODE_LSHIFT, false}}), sent());
}

TEST_F(KeyboardTest, TheWindowsOwnKeysNeedControlAndTheLeftAlt) {
    const auto action = [](SDL_Keycode key, unsigned modifiers) {
        return action_of(event(SDL_KEYDOWN, SDL_SCANCODE_UNKNOWN, key, modifiers));
    };
    EXPECT_EQ(Action::Help, action(SDLK_h, KMOD_LCTRL | KMOD_LALT));
    EXPECT_EQ(Action::Help, action(SDLK_h, KMOD_RCTRL | KMOD_LALT | KMOD_NUM | KMOD_CAPS));
    EXPECT_EQ(Action::WindowPicture, action(SDLK_i, KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT));
    EXPECT_EQ(std::nullopt, action(SDLK_h, KMOD_LCTRL));
    EXPECT_EQ(std::nullopt, action(SDLK_h, KMOD_LCTRL | KMOD_RALT));
    EXPECT_EQ(std::nullopt, action(SDLK_F1, KMOD_LCTRL | KMOD_LALT));
    for (const HostKey& key : host_keys())
        EXPECT_EQ(key.action, action(key.key, KMOD_LCTRL | KMOD_LALT | (key.shift ? KMOD_LSHIFT : 0)));
}

}  // namespace
}  // namespace forkscope::ui
