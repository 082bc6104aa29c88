// The CNI plugin "flannel": turns what flanneld wrote into a configuration for the plugin that does the work.
//
// A stand-in for flannel-io/cni-plugin, whose module is not to be had. Same input (subnet.env and the "delegate" part
// of the network's configuration), same result for Linux (bridge with host-local addresses).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/version"
)

type netConf struct {
	CNIVersion string         `json:"cniVersion"`
	Name       string         `json:"name"`
	SubnetFile string         `json:"subnetFile"`
	Delegate   map[string]any `json:"delegate"`
}

func main() {
	skel.PluginMainFuncs(skel.CNIFuncs{Add: add, Del: del, Check: check}, version.All, "CNI plugin flannel (stand-in)")
}

func add(args *skel.CmdArgs) error {
	config, kind, err := delegate(args.StdinData)
	if err != nil {
		return err
	}
	result, err := invoke.DelegateAdd(context.Background(), kind, config, nil)
	if err != nil {
		return err
	}
	return result.Print()
}

func del(args *skel.CmdArgs) error {
	config, kind, err := delegate(args.StdinData)
	if err != nil {
		return nil // flanneld's file is gone: there is nobody to delegate to, and a pod must still be able to end
	}
	return invoke.DelegateDel(context.Background(), kind, config, nil)
}

func check(*skel.CmdArgs) error { return nil }

func delegate(stdin []byte) (config []byte, kind string, err error) {
	var conf netConf
	if err := json.Unmarshal(stdin, &conf); err != nil {
		return nil, "", err
	}
	if conf.SubnetFile == "" {
		conf.SubnetFile = "/run/flannel/subnet.env"
	}
	env, err := readEnv(conf.SubnetFile)
	if err != nil {
		return nil, "", fmt.Errorf("loadFlannelSubnetEnv failed: %w", err)
	}
	d := conf.Delegate
	if d == nil {
		d = map[string]any{}
	}
	setDefault(d, "type", "bridge")
	kind, ok := d["type"].(string)
	if !ok {
		return nil, "", fmt.Errorf("delegate.type is not a string")
	}
	flanneldMasquerades, _ := strconv.ParseBool(env["FLANNEL_IPMASQ"])
	setDefault(d, "ipMasq", !flanneldMasquerades)
	if mtu, err := strconv.Atoi(env["FLANNEL_MTU"]); err == nil {
		setDefault(d, "mtu", mtu)
	}
	if kind == "bridge" {
		setDefault(d, "isGateway", true)
	}
	d["name"], d["cniVersion"] = conf.Name, conf.CNIVersion
	if d["ipam"], err = addresses(env); err != nil {
		return nil, "", fmt.Errorf("%s: %w", conf.SubnetFile, err)
	}
	config, err = json.Marshal(d)
	return config, kind, err
}

// addresses is the configuration of host-local: one range and one route a family.
func addresses(env map[string]string) (map[string]any, error) {
	var ranges [][]map[string]string
	var routes []map[string]string
	for _, family := range []string{"", "IPV6_"} {
		subnet, network := env["FLANNEL_"+family+"SUBNET"], env["FLANNEL_"+family+"NETWORK"]
		if subnet == "" {
			continue
		}
		// flanneld writes the bridge's own address (10.244.0.1/24); host-local refuses a range with host bits.
		_, masked, err := net.ParseCIDR(subnet)
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, []map[string]string{{"subnet": masked.String()}})
		for _, one := range strings.Split(network, ",") {
			routes = append(routes, map[string]string{"dst": one})
		}
	}
	if len(ranges) == 0 {
		return nil, fmt.Errorf("no FLANNEL_SUBNET")
	}
	return map[string]any{"type": "host-local", "ranges": ranges, "routes": routes}, nil
}

func setDefault(m map[string]any, key string, value any) {
	if _, ok := m[key]; !ok {
		m[key] = value
	}
}

func readEnv(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	env := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[key] = value
		}
	}
	return env, lines.Err()
}
