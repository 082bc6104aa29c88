// flanneld for Linux with the Kubernetes subnet manager, put together from flannel's own packages.
//
// flannel's own main package does not build from its module alone: it imports every cloud back end, and one vendor's
// SDK is not to be had. This one keeps its order of steps and its flags' names, and leaves out etcd, the cloud back
// ends, FLANNELD_* variables and everything for Windows. Both versions are built from this one file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
	"github.com/flannel-io/flannel/pkg/trafficmngr/nftables"
	"github.com/joho/godotenv"
	log "k8s.io/klog/v2"
)

var version = "unknown" // set by the linker

type options struct {
	kubeSubnetMgr    bool
	ipMasq           bool
	forwardRules     bool
	resyncSeconds    int
	iface            string
	publicIP         string
	publicIPv6       string
	netConfPath      string
	subnetFile       string
	annotationPrefix string
	kubeconfig       string
	healthzIP        string
	healthzPort      int
	showVersion      bool
}

func parse() options {
	var o options
	flag.BoolVar(&o.kubeSubnetMgr, "kube-subnet-mgr", false, "take subnets from the Kubernetes API (required here)")
	flag.BoolVar(&o.ipMasq, "ip-masq", false, "masquerade traffic that leaves the pod network")
	flag.BoolVar(&o.forwardRules, "iptables-forward-rules", true, "accept forwarded pod traffic")
	flag.IntVar(&o.resyncSeconds, "iptables-resync", 5, "seconds between two looks at the rules")
	flag.StringVar(&o.iface, "iface", "", "interface (address or name) for traffic between nodes")
	flag.StringVar(&o.publicIP, "public-ip", "", "IPv4 address other nodes reach this one by")
	flag.StringVar(&o.publicIPv6, "public-ipv6", "", "IPv6 address other nodes reach this one by")
	flag.StringVar(&o.netConfPath, "net-config-path", "/etc/kube-flannel/net-conf.json", "network configuration")
	flag.StringVar(&o.subnetFile, "subnet-file", "/run/flannel/subnet.env", "file to write for the CNI plugin")
	flag.StringVar(&o.annotationPrefix, "kube-annotation-prefix", "flannel.alpha.coreos.com", "prefix of node annotations")
	flag.StringVar(&o.kubeconfig, "kubeconfig-file", "", "kubeconfig; not needed in a pod")
	flag.StringVar(&o.healthzIP, "healthz-ip", "0.0.0.0", "address of the health server")
	flag.IntVar(&o.healthzPort, "healthz-port", 0, "port of the health server (0: none)")
	flag.BoolVar(&o.showVersion, "version", false, "print the version")
	log.InitFlags(nil)
	flag.Parse()
	return o
}

func main() {
	o := parse()
	if o.showVersion {
		fmt.Fprintln(os.Stderr, version)
		return
	}
	log.Infof("flanneld %s", version)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, cancel, o); err != nil {
		log.Errorf("%v", err)
		log.Flush()
		os.Exit(1)
	}
	log.Info("Exiting cleanly...")
	log.Flush()
}

func run(ctx context.Context, cancel context.CancelFunc, o options) error {
	if !o.kubeSubnetMgr {
		return errors.New("only --kube-subnet-mgr is built in")
	}
	var ready atomic.Bool
	if o.healthzPort > 0 {
		serveHealth(net.JoinHostPort(o.healthzIP, strconv.Itoa(o.healthzPort)), &ready)
	}
	manager, err := kube.NewSubnetManager(ctx, "", o.kubeconfig, o.annotationPrefix, o.netConfPath, true)
	if err != nil {
		return fmt.Errorf("Failed to create SubnetManager: %w", err)
	}
	config, err := manager.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("network configuration: %w", err)
	}
	log.Infof("Found network config - Backend type: %s", config.BackendType)
	if err := checkBridgeFilter(config.EnableNFTables, config.EnableIPv4, config.EnableIPv6); err != nil {
		return err
	}
	stack, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return err
	}

	// An address annotated by hand wins over the flags.
	if v4, v6 := manager.GetStoredPublicIP(ctx); v4 != "" || v6 != "" {
		o.publicIP, o.publicIPv6 = v4, v6
	}
	public := ipmatch.PublicIPOpts{PublicIP: o.publicIP, PublicIPv6: o.publicIPv6}
	lookup := o.iface
	if lookup == "" {
		lookup = o.publicIP
	}
	if lookup == "" {
		lookup = o.publicIPv6
	}
	link, err := ipmatch.LookupExtIface(lookup, "", "", stack, public)
	if err != nil {
		return fmt.Errorf("Failed to find any valid interface to use: %w", err)
	}

	var wait sync.WaitGroup
	kind, err := backend.NewManager(ctx, manager, link).GetBackend(config.BackendType)
	if err != nil {
		return fmt.Errorf("Error fetching backend: %w", err)
	}
	network, err := kind.RegisterNetwork(ctx, &wait, config)
	if err != nil {
		return fmt.Errorf("Error registering network: %w", err)
	}

	// The rules of the kind that is not used may be left from an earlier configuration.
	if err := trafficManager(!config.EnableNFTables).CleanUp(ctx); err != nil {
		return fmt.Errorf("cleaning up unused rules: %w", err)
	}
	rules := trafficManager(config.EnableNFTables)
	if err := rules.Init(ctx); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if o.ipMasq {
		err := rules.SetupAndEnsureMasqRules(ctx,
			config.Network, previous4(o.subnetFile, "FLANNEL_SUBNET"), previous4(o.subnetFile, "FLANNEL_NETWORK"),
			config.IPv6Network, previous6(o.subnetFile, "FLANNEL_IPV6_SUBNET"), previous6(o.subnetFile, "FLANNEL_IPV6_NETWORK"),
			network.Lease(), o.resyncSeconds, false)
		if err != nil {
			return fmt.Errorf("Failed to setup masq rules: %w", err)
		}
	}
	if o.forwardRules {
		rules.SetupAndEnsureForwardRules(ctx, config.Network, config.IPv6Network, o.resyncSeconds)
	}
	lease := network.Lease()
	if err := manager.HandleSubnetFile(o.subnetFile, config, o.ipMasq, lease.Subnet, lease.IPv6Subnet, network.MTU()); err != nil {
		log.Warningf("Failed to write subnet file: %s", err)
	} else {
		log.Infof("Wrote subnet file to %s", o.subnetFile)
		ready.Store(true)
	}

	log.Info("Running backend.")
	wait.Add(1)
	go func() {
		defer wait.Done()
		network.Run(ctx)
	}()
	if err := manager.CompleteLease(ctx, lease, &wait); err != nil {
		log.Errorf("CompleteLease execute error err: %v", err)
		if strings.EqualFold(err.Error(), "interrupted") {
			cancel() // the lease was taken away
		}
	}
	wait.Wait()
	return nil
}

func trafficManager(useNFT bool) trafficmngr.TrafficManager {
	if useNFT {
		return &nftables.NFTablesManager{}
	}
	return &iptables.IPTablesManager{}
}

// checkBridgeFilter refuses to start where pods on one node would bypass the service rules.
func checkBridgeFilter(useNFT, v4, v6 bool) error {
	wanted := map[string]bool{"bridge-nf-call-iptables": v4, "bridge-nf-call-ip6tables": v6}
	for name, want := range wanted {
		if _, err := os.Stat("/proc/sys/net/bridge/" + name); want && !useNFT && err != nil {
			return fmt.Errorf("Failed to check br_netfilter: %w", err)
		}
	}
	return nil
}

// previous reads what an earlier flanneld wrote, so that its masquerade rules can be removed.
func previous(file, key string) *net.IPNet {
	values, err := godotenv.Read(file)
	if err != nil || values[key] == "" {
		return nil
	}
	_, network, err := net.ParseCIDR(values[key])
	if err != nil {
		return nil
	}
	return network
}

func previous4(file, key string) ip.IP4Net {
	if network := previous(file, key); network != nil {
		return ip.FromIPNet(network)
	}
	return ip.IP4Net{}
}

func previous6(file, key string) ip.IP6Net {
	if network := previous(file, key); network != nil {
		return ip.FromIP6Net(network)
	}
	// Not the zero value: its address is a nil pointer, which the rules' clean-up would follow.
	return ip.IP6Net{IP: ip.FromIP6(net.IPv6zero)}
}

func serveHealth(address string, ready *atomic.Bool) {
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "flanneld is running") })
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	go func() {
		if err := http.ListenAndServe(address, nil); err != nil {
			log.Errorf("Start healthz server error. %v", err)
		}
	}()
}
