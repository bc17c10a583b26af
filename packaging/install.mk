# SPDX-License-Identifier: GPL-2.0-only
# Installing and packing, see docs/install.md.  Included by the top Makefile:
#   make install [PREFIX=/usr/local] [DESTDIR=]     build, and copy it there
#   make uninstall [PREFIX=...] [DESTDIR=]
#   make dist                                       build/dist/NAME-VERSION.tar.gz from git's HEAD
#   make kselftest-install KSRC=<kernel source>     the tests as tools/testing/selftests/kvm_mmu there
#   make deb                                        build/deb/: a Debian source package of that, and built

NAME := kvm-mmu-conformance
VERSION := 0.1

PREFIX ?= /usr/local
DESTDIR ?=
bindir := $(PREFIX)/bin
datadir := $(PREFIX)/share
# The suite stays one folder, as it would be copied to a bare host; a link leads there.
suitedir := $(PREFIX)/lib/$(NAME)
docdir := $(datadir)/doc/$(NAME)
mandir := $(datadir)/man/man1
completiondir := $(datadir)/bash-completion/completions

commands = $(shell grep -l '^\#!' lib/runner/*.sh)

.PHONY: install uninstall kselftest-install dist deb

# The file "installed" has runner.sh put results elsewhere than beside itself.
install: all
	install -d $(addprefix '$(DESTDIR)',$(suitedir)/bin $(suitedir)/x86 $(suitedir)/lib/runner \
		$(bindir) $(mandir) $(completiondir) $(docdir)/docs/fleet/tmt/.fmf)
	install -m 755 runner.sh '$(DESTDIR)$(suitedir)/'
	install -m 644 $(filter-out $(commands),$(wildcard lib/runner/*.sh)) lib/runner/quick.conf '$(DESTDIR)$(suitedir)/lib/runner/'
	install -m 755 $(commands) '$(DESTDIR)$(suitedir)/lib/runner/'
	install -m 755 $(B)/bin/kmc-report '$(DESTDIR)$(suitedir)/bin/'
	install -m 755 $(TESTS) '$(DESTDIR)$(suitedir)/x86/'
	install -m 644 x86/known_issues.json '$(DESTDIR)$(suitedir)/x86/'
	printf '%s\n' '$(VERSION)' >'$(DESTDIR)$(suitedir)/installed'
	ln -sfn ../lib/$(NAME)/runner.sh '$(DESTDIR)$(bindir)/$(NAME)'
	install -m 644 docs/$(NAME).1 '$(DESTDIR)$(mandir)/'
	install -m 644 packaging/completion.bash '$(DESTDIR)$(completiondir)/$(NAME)'
	install -m 644 README.md '$(DESTDIR)$(docdir)/'
	install -m 644 docs/*.md '$(DESTDIR)$(docdir)/docs/'
	install -m 644 docs/fleet/*.yaml '$(DESTDIR)$(docdir)/docs/fleet/'
	install -m 644 docs/fleet/tmt/*.fmf '$(DESTDIR)$(docdir)/docs/fleet/tmt/'
	install -m 644 docs/fleet/tmt/.fmf/version '$(DESTDIR)$(docdir)/docs/fleet/tmt/.fmf/'

uninstall:
	rm -rf '$(DESTDIR)$(suitedir)' '$(DESTDIR)$(docdir)'
	rm -f '$(DESTDIR)$(bindir)/$(NAME)' '$(DESTDIR)$(mandir)/$(NAME).1' \
		'$(DESTDIR)$(completiondir)/$(NAME)'

kselftest-install:
	@packaging/kselftest/install.sh '$(KSRC)'

# The same bytes for the same commit: git gives every file the commit's time, gzip notes none.
dist := build/dist/$(NAME)-$(VERSION).tar.gz
dist:
	@git diff-index --quiet HEAD -- || echo 'make dist: what is not committed is left out' >&2
	@mkdir -p $(dir $(dist))
	git archive --prefix=$(NAME)-$(VERSION)/ HEAD >$(dist:.gz=)
	gzip -nf9 $(dist:.gz=)
	@echo $(dist)

deb: dist
	rm -rf build/deb
	mkdir -p build/deb
	tar -C build/deb -xf $(dist)
	cd build/deb && dpkg-source -b $(NAME)-$(VERSION)
	cd build/deb/$(NAME)-$(VERSION) && dpkg-buildpackage -us -uc -b
	@ls build/deb/*.deb build/deb/*.dsc
