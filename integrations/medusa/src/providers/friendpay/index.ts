import { ModuleProvider, Modules } from "@medusajs/framework/utils";
import FriendpayProvider from "./service";

export default ModuleProvider(Modules.PAYMENT, { services: [FriendpayProvider] });
