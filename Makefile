# pinpipe: one non-recursive Makefile; variants are directories under build/. `make help` lists the targets.
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

VARIANT ?= release
BUILD   ?= build/$(VARIANT)
CC      := $(if $(filter default,$(origin CC)),cc,$(CC))
AR      ?= ar
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
Q := $(if $(V),,@)

VERSION := $(shell cat VERSION)

# --- libraries -------------------------------------------------------------------------------
PKGS      := sqlite3 libuv libcurl libcjson libpcre2-8 yaml-0.1 zlib
PKG_FLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# libcurl is loaded on first use (src/base/http_client.c), so it is compiled against, not linked.
PKG_LIBS  := $(shell pkg-config --libs sqlite3 libuv libcjson libpcre2-8 yaml-0.1 zlib 2>/dev/null) -lm -ldl -lpthread
CMOCKA_LIBS = $(shell pkg-config --libs cmocka 2>/dev/null)

# llhttp: the system's library where there is one, else the C sources that Debian's node-llhttp ships.
ifeq ($(shell pkg-config --exists libllhttp 2>/dev/null && echo yes),yes)
LLHTTP_FLAGS := $(shell pkg-config --cflags libllhttp)
LLHTTP_LIBS  := $(shell pkg-config --libs libllhttp)
LLHTTP_SRC   :=
else
LLHTTP_DIR   ?= /usr/share/llhttp
LLHTTP_FLAGS := -I/usr/share/include/llhttp
LLHTTP_LIBS  :=
LLHTTP_SRC   := $(wildcard $(LLHTTP_DIR)/api.c $(LLHTTP_DIR)/http.c $(LLHTTP_DIR)/llhttp.c)
endif

# --- flags -----------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
            -Wpointer-arith -Wformat=2 -Wundef $(if $(WERROR),-Werror)
PP_CFLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_DARWIN_C_SOURCE -g -fno-common \
             -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=. $(WARNINGS)
PP_LDFLAGS :=
ifeq ($(VARIANT),release)
PP_CFLAGS += -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else ifeq ($(VARIANT),asan)
PP_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
PP_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),cov)
PP_CFLAGS += -O0 --coverage
PP_LDFLAGS += --coverage
else ifeq ($(VARIANT),fuzz)
PP_CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined
PP_LDFLAGS += -fsanitize=address,undefined
else
$(error VARIANT is release, asan, cov or fuzz, not "$(VARIANT)")
endif
BANNED := -include src/base/banned.h

# Who may include whom (docs/architecture.md): each folder has its own -I list.
INC_base     := -Iinclude -Isrc/base
INC_pipeline := -Iinclude -Isrc/base -Isrc/pipeline
INC_cli      := -Iinclude -Isrc/base -Isrc/pipeline -Isrc/cli
INC_mock     := -Iinclude -Isrc/base -Imock_server $(LLHTTP_FLAGS)
INC_tests    := -Iinclude -Isrc/base -Isrc/pipeline -Isrc/cli -Imock_server -Itests/support $(LLHTTP_FLAGS)

# --- sources ---------------------------------------------------------------------------------
SRC_base     := $(sort $(wildcard src/base/*.c))
SRC_pipeline := $(sort $(wildcard src/pipeline/*.c))
SRC_cli      := $(sort $(wildcard src/cli/*.c))
SRC_mock     := $(sort $(wildcard mock_server/*.c))
DATA_FILES   := $(sort $(wildcard data/schema/*.sql data/queries/*.sql data/vocab/*.txt))
SRC_unit     := $(sort $(wildcard tests/unit/test_*.c))
SRC_support  := $(sort $(wildcard tests/support/*.c))
SRC_fuzz     := $(sort $(wildcard tests/fuzz/fuzz_*.c))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
OBJ_base     := $(call obj,$(SRC_base)) $(BUILD)/obj/gen/embedded.o $(BUILD)/obj/gen/version.o
OBJ_pipeline := $(call obj,$(SRC_pipeline))
OBJ_cli      := $(call obj,$(SRC_cli))
OBJ_mock     := $(call obj,$(SRC_mock)) $(patsubst $(LLHTTP_DIR)/%.c,$(BUILD)/obj/llhttp/%.o,$(LLHTTP_SRC))
OBJ_support  := $(call obj,$(SRC_support))

LIB_base     := $(BUILD)/libbase.a
LIB_pipeline := $(BUILD)/libpipeline.a
LIB_mock     := $(BUILD)/libmock.a
LIBS_all     := $(LIB_pipeline) $(LIB_mock) $(LIB_base)
PROGRAM      := $(BUILD)/pinpipe
UNIT_TESTS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(SRC_unit))

# --- build -----------------------------------------------------------------------------------
.PHONY: all
all: $(PROGRAM) ## build build/<variant>/pinpipe

# Rewritten only when the flags change, so a changed flag rebuilds and an unchanged one does not.
FLAGS_TEXT = $(CC) $(PP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(PKG_FLAGS) $(LLHTTP_FLAGS) $(PP_LDFLAGS) $(LDFLAGS) $(PKG_LIBS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(FLAGS_TEXT)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

COMPILE = $(Q)mkdir -p $(@D); $(if $(V),,echo "  CC   $<";) $(CC) $(PP_CFLAGS) $(PKG_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP

$(BUILD)/obj/src/base/%.o: src/base/%.c $(BUILD)/flags
	$(COMPILE) $(BANNED) $(INC_base) -c $< -o $@
$(BUILD)/obj/src/pipeline/%.o: src/pipeline/%.c $(BUILD)/flags
	$(COMPILE) $(BANNED) $(INC_pipeline) -c $< -o $@
$(BUILD)/obj/src/cli/%.o: src/cli/%.c $(BUILD)/flags
	$(COMPILE) $(BANNED) $(INC_cli) -c $< -o $@
$(BUILD)/obj/mock_server/%.o: mock_server/%.c $(BUILD)/flags
	$(COMPILE) $(BANNED) $(INC_mock) -c $< -o $@
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags
	$(COMPILE) $(INC_tests) -c $< -o $@
$(BUILD)/obj/llhttp/%.o: $(LLHTTP_DIR)/%.c $(BUILD)/flags
	$(Q)mkdir -p $(@D); $(CC) -std=c11 -O2 -w $(filter -fsanitize% --coverage,$(PP_CFLAGS)) $(CFLAGS) $(LLHTTP_FLAGS) -c $< -o $@

$(BUILD)/gen/embedded.c: src/base/embed.awk $(DATA_FILES) $(BUILD)/datalist
	$(Q)mkdir -p $(@D); awk -f src/base/embed.awk $(DATA_FILES) > $@
# A file added to or removed from data/ regenerates it too.
$(BUILD)/datalist: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(DATA_FILES)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/gen/version.c: VERSION
	$(Q)mkdir -p $(@D); printf '#include "version.h"\n\nconst char pinpipe_version[] = "%s";\n' '$(VERSION)' > $@
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c $(BUILD)/flags
	$(COMPILE) $(INC_base) -c $< -o $@

define archive
	$(Q)mkdir -p $(@D); rm -f $@; $(AR) rcsD $@ $^
endef
$(LIB_base): $(OBJ_base)
	$(archive)
$(LIB_pipeline): $(OBJ_pipeline)
	$(archive)
$(LIB_mock): $(OBJ_mock)
	$(archive)

$(PROGRAM): $(OBJ_cli) $(LIBS_all)
	$(Q)echo "  LD   $@"; $(CC) $(PP_CFLAGS) $(CFLAGS) $(PP_LDFLAGS) $(LDFLAGS) -o $@ $(OBJ_cli) $(LIBS_all) $(PKG_LIBS) $(LLHTTP_LIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(OBJ_support) $(LIBS_all)
	$(Q)mkdir -p $(@D); echo "  LD   $@"; $(CC) $(PP_CFLAGS) $(CFLAGS) $(PP_LDFLAGS) $(LDFLAGS) -o $@ $< $(OBJ_support) $(LIBS_all) $(PKG_LIBS) $(LLHTTP_LIBS) $(CMOCKA_LIBS)

# --- tests -----------------------------------------------------------------------------------
.PHONY: unit
unit: $(UNIT_TESTS) ## run the unit tests (T=name for one)
	$(Q)for t in $(if $(T),$(BUILD)/tests/$(T),$(UNIT_TESTS)); do $$t || exit 1; done

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: clean
clean: ## remove build/
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
