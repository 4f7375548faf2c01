#!/usr/bin/env bash
# A gateway of Ceph (RGW) on loopback, from Debian's packages: one monitor, one store in memory, one gateway. Not part of
# .ci/run: for trying by hand what docs/ceph.md says.
#   apt-get install --no-install-recommends ceph-mon ceph-osd radosgw ceph-common
#   test/servers/ceph.sh start     prints the environment for S3 and for Swift
#   test/servers/ceph.sh stop
set -euo pipefail

DIR=${CEPH_DIR:-/tmp/skylift-ceph}
PORT=${CEPH_PORT:-18080}
CONF=$DIR/ceph.conf

stop() {
  local name
  for name in radosgw ceph-osd ceph-mon; do pkill -f "^$name -c $CONF" || true; done
}

start() {
  stop
  rm -rf "$DIR"
  mkdir -p "$DIR"/{mon,osd,rgw,run,log}
  local id osd keys
  id=$(uuidgen) osd=$(uuidgen) keys=$DIR/keyring
  # The gateway takes the name of the owner of all keys: it is alone here.
  cat >"$CONF" <<EOF
[global]
fsid = $id
mon initial members = a
mon host = [v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]
public network = 127.0.0.0/8
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $keys
osd pool default size = 1
osd pool default pg num = 8
mon allow pool size one = true
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 8589934592
mon data = $DIR/mon
osd data = $DIR/osd
mon data avail crit = 1
run dir = $DIR/run
admin socket = $DIR/run/\$name.asok
pid file = $DIR/run/\$name.pid
log file = $DIR/log/\$name.log
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:$PORT
rgw data = $DIR/rgw
rgw swift account in url = true
EOF
  ceph-authtool --create-keyring "$keys" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool "$keys" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]" "$DIR/monmap"
  ceph-mon -c "$CONF" --mkfs -i a --monmap "$DIR/monmap" --keyring "$keys"
  ceph-mon -c "$CONF" -i a
  ceph -c "$CONF" --connect-timeout 30 osd new "$osd"
  ceph -c "$CONF" auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' >>"$keys"
  ceph-osd -c "$CONF" -i 0 --mkfs --osd-uuid "$osd"
  ceph-osd -c "$CONF" -i 0
  radosgw -c "$CONF" -n client.admin
  local wait
  for wait in {1..60}; do
    curl -sf "http://127.0.0.1:$PORT" >/dev/null && break
    sleep 1
  done
  radosgw-admin -c "$CONF" user create --uid=jane --display-name=Jane --access-key=jane --secret=secret-of-jane
  radosgw-admin -c "$CONF" subuser create --uid=jane --subuser=jane:swift --access=full --key-type=swift \
    --secret=secret-of-jane
}

case ${1:-} in
start)
  start >"${DIR}.log" 2>&1 || { tail -5 "${DIR}.log" >&2; exit 1; }
  cat <<EOF
export AWS_ENDPOINT_URL=http://127.0.0.1:$PORT AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=jane AWS_SECRET_ACCESS_KEY=secret-of-jane
export ST_AUTH=http://127.0.0.1:$PORT/auth ST_USER=jane:swift ST_KEY=secret-of-jane
EOF
  ;;
stop) stop ;;
*) echo "ceph.sh start | stop" >&2; exit 2 ;;
esac
